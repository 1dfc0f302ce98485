"""Labels of the ACCAD takes: their names as contents of the caption grammar."""

import re

from motiongen_datasets.captions import Labels

# (pattern, content, verb phrases); the first that matches decides. A take that goes from one act to another is the
# one that fills it, with both in the phrases.
ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"_Stand$", "idle", ()),
    (r"Sway", "idle", ("stand and *sway",)),
    (r"Swing", "swing-arms", ()),
    (r"_Look", "look-around", ()),
    (
        r"(Walk|Run)ToPickUpBox|PickUpBox|LiftBox",
        "pick-up",
        ("pick up a box", "bend down and *pick up a box"),
    ),
    (r"WithBox", "carry", ("carry a box",)),
    (r"PutDownBox", "put-down", ("put down a box",)),
    (r"CrouchToLie", "lie-down", ("lie down from a crouch",)),
    (r"LieToCrouch", "get-up", ("get up from lying to a crouch",)),
    (r"_Lie", "lie", ()),
    (r"CrawlBack", "crawl", ("crawl backward",)),
    (r"Crawl", "crawl", ()),
    (r"Skip", "skip", ()),
    (r"HopTo|_Hop", "hop-forward", ("walk, *hop and *walk on",)),
    (r"Leap|Jump", "jump-over", ("leap forward while walking",)),
    (r"WalkBack|StandToWalkBack", "walk-back", ()),
    (r"WalkTurnLeft", "walk-turn-left", ()),
    (r"WalkTurnRight", "walk-turn-right", ()),
    (r"WalkTurnAround|WalkTurnChange", "walk-turn-around", ()),
    (r"SideStep", "step-side", ()),
    (r"RunTurnLeft", "run-turn-left", ()),
    (r"RunTurnRight", "run-turn-right", ()),
    (r"RunBack", "run-back", ()),
    (r"(Walk|Run)ToCrouch|_Crouch|CrouchTo", "crouch", ("crouch down",)),
    (r"RunToStand", "run-stop", ()),
    (r"WalkToRun", "run", ("walk and then *run",)),
    (r"Run", "run", ()),
    (r"WalkToStand", "walk", ("walk and *stop",)),
    (r"StandToWalk", "walk", ("start to walk",)),
    (r"Walk|Urban", "walk", ()),
    (r"Wait", "wait", ()),
    (r"Conversation", "talk", ("talk with gestures",)),
    (r"CartWheel", "cartwheel", ()),
)


def labels(name: str, description: str) -> Labels:
    """Return the labels of a take by its name ("B09_WalkTurnLeft90") and its description in a sentence."""
    for pattern, content, phrases in ROWS:
        if re.search(pattern, name):
            return Labels(content=content, phrases=phrases, sentences=(description,), has_directions=True)
    return Labels()  # "various things"
