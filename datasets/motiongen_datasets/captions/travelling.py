"""Contents in which the body goes from one place to another; in all others it stays about where it is."""

TRAVELLING = frozenset(
    {
        "walk", "walk-back", "walk-left", "walk-right", "walk-turn-left", "walk-turn-right", "walk-turn-around",
        "run", "dash", "jog-circle-left", "jog-circle-right", "run-back", "run-turn-left", "run-turn-right", "run-stop",
        "run-circle", "sneak", "crawl", "uneven-walk", "strafe-left", "strafe-right", "walk-sideways", "walk-circle",
        "figure-eight", "march", "limp", "tiptoe", "crouch-walk", "moonwalk", "wander", "skip", "hop-forward", "stairs",
        "carry", "step-over", "hopscotch", "balance-beam",
    }
)  # fmt: skip
