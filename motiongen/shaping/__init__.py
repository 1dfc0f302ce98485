"""Changes to finished motion: its speed, its turns, how often something is seen in it. Pure functions of a motion."""
