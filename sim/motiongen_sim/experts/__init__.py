"""Scripted experts: they solve tasks by rules that may read the simulator's true state."""
