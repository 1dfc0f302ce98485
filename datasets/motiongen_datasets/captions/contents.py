"""Contents of the caption grammar, and the sides and directions in their labels."""

from motiongen_datasets.captions.vocabulary.action import Action
from motiongen_datasets.captions.vocabulary.activities import ACTIVITIES
from motiongen_datasets.captions.vocabulary.everyday import EVERYDAY
from motiongen_datasets.captions.vocabulary.exercise import EXERCISE
from motiongen_datasets.captions.vocabulary.gestures import GESTURES
from motiongen_datasets.captions.vocabulary.locomotion import LOCOMOTION

ACTIONS: dict[str, Action] = LOCOMOTION | GESTURES | ACTIVITIES | EVERYDAY | EXERCISE

# Labels that carry their side or direction: label -> (action, side).
SIDED_LABELS: dict[str, tuple[str, str]] = {
    f"{action}-{side}{tail}": (action, side)
    for action, tail in (
        ("wave", "-hand"),
        ("raise-up", "-hand"),
        ("jog-circle", ""),
        ("strafe", ""),
        ("dodge", ""),
    )
    for side in ("left", "right")
}
# Directions have words of their own: those to the left are written, those to the right are mirrored.
MIRRORED_LABELS: dict[str, str] = {
    "walk-right": "walk-left",
    "walk-turn-right": "walk-turn-left",
    "turn-right": "turn-left",
    "run-turn-right": "run-turn-left",
}

# Contents in which one hand or one foot acts; the side is measured where the label does not name it.
HAND_CONTENTS = frozenset(
    {"bye", "wave", "raise-up", "guide", "respond", "punch", "throw", "put-down", "grab-high"}
)
FOOT_CONTENTS = frozenset({"kick", "kick-ball"})
STANDING_LEG_CONTENTS = frozenset({"balance"})
