"""Labels of Rocketbox: the names of its animations as contents of the caption grammar."""

import re

from motiongen_datasets.captions import Labels

Row = tuple[str, str, str | None, tuple[str, ...]]
# (pattern, content, style, verb phrases); the first that matches decides.
ROWS: tuple[Row, ...] = (
    (r"^sit_down", "sit-down", None, ()),
    (r"^sit_stand_up", "stand-up", None, ()),
    (r"^sit_.*shrug", "sit", None, ("sit and *shrug", "shrug while sitting")),
    (r"^sit_.*thoughtful", "sit", None, ("sit in thought", "sit and *think")),
    (r"^sit_.*cough", "sit", None, ("sit and *cough",)),
    (r"^sit_.*yawn", "sit", None, ("sit and *yawn",)),
    (r"^sit_.*look_around", "sit", None, ("sit and *look around",)),
    (r"^sit_.*scratch_head", "sit", None, ("sit and *scratch the head",)),
    (r"^sit_.*touch_(face|hair)", "sit", None, ("sit and *touch the face",)),
    (r"^sit_.*stretch", "sit", None, ("sit and *stretch the arms",)),
    (r"^sit_", "sit", None, ()),
    (r"^crouch_(in|out)", "crouch", None, ("crouch down and *get up",)),
    (r"^crouch", "crouch", None, ()),
    (r"textmessage|phone", "phone", None, ("type a text message on a phone",)),
    (r"cheer", "cheer", None, ()),
    (r"claphands", "clap", None, ()),
    (r"dancing", "dance", None, ()),
    (r"documents", "read", None, ("check documents", "handle papers")),
    (r"drink", "drink", None, ()),
    (r"laugh", "laugh", None, ()),
    (r"listen_accept", "nod", None, ("listen and *nod",)),
    (r"listen_deny", "shake-head", None, ("listen and *shake the head",)),
    (r"listen_door", "knock", None, ("listen at a door",)),
    (r"presentation", "present", None, ()),
    (r"shrug", "shrug", None, ()),
    (r"thoughtful", "think", None, ()),
    (r"listen", "idle", None, ("stand and *listen",)),
    (r"idle_angry", "angry-gesture", None, ()),
    (r"cough", "cough", None, ()),
    (r"yawn", "yawn", None, ()),
    (r"look_around", "look-around", None, ()),
    (r"scratch_head", "scratch-head", None, ()),
    (r"touch_(face|hair)", "touch-face", None, ()),
    (r"stretch", "stretch", None, ("stretch the arms",)),
    (r"nervous", "idle", None, ("stand nervously", "fidget")),
    (r"shake_arms", "swing-arms", None, ("shake out the arms",)),
    (r"^idle", "idle", None, ()),
    (r"invite_sit", "guide", None, ("invite someone to sit down",)),
    (r"knock", "knock", None, ()),
    (r"try_door", "door", None, ()),
    (r"picture", "camera", None, ()),
    (r"umbrella", "umbrella", None, ("stand with an umbrella",)),
    (r"trolley_talk|umbrella_talk", "talk", None, ()),
    (r"turn_left", "turn-left", None, ()),
    (r"turn_right", "turn-right", None, ()),
    (r"wave", "wave", None, ()),
    (r"run_(injured)", "run", None, ("run with an injury", "run with a limp")),
    (r"run_slow", "run", None, ("run slowly", "jog slowly")),
    (r"run_fast", "dash", None, ()),
    (r"run_funny", "run", None, ("run in a funny way",)),
    (r"run_stop", "run-stop", None, ()),
    (r"run_to_walk", "run", None, ("run and then *walk", "slow down from a run to a walk")),
    (r"run", "run", None, ()),
    (r"walk_(bruised|injured)", "limp", None, ()),
    (r"walk_drunk", "walk", None, ("walk drunkenly", "stagger like a drunk")),
    (r"walk_cool", "walk", None, ("walk in a cool way",)),
    (r"walk_funny", "walk", None, ("walk in a funny way",)),
    (r"walk_self", "walk", "proud", ()),
    (r"walk_fast", "walk", None, ("walk fast", "walk quickly")),
    (r"walk_slow", "walk", None, ("walk slowly",)),
    (r"walk_stroll", "walk", None, ("stroll", "walk leisurely")),
    (r"walk_extremefemale", "walk", "feminine", ()),
    (r"walk_stop", "walk", None, ("walk and *stop",)),
    (r"walk_start", "walk", None, ("start to walk",)),
    (r"walk_to_run", "run", None, ("walk and then *run",)),
    (r"walk", "walk", None, ()),
    (r"^work", "interact", None, ()),
)  # fmt: skip


def labels(name: str, description: str) -> Labels:
    """Return the labels of an animation by its name ("walk_drunk") and its description in a sentence."""
    for pattern, content, style, phrases in ROWS:
        if re.search(pattern, name):
            return Labels(content=content, style=style, phrases=phrases, sentences=(description,))
    return Labels(sentences=(description,))
