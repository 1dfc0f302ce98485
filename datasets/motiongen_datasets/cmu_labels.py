"""Labels of the CMU Motion Capture Database: its one-line descriptions as contents of the caption grammar."""

import re

from motiongen_datasets.captions import Labels, content_sentence
from motiongen_datasets.dance_styles import label_dance_style

DESCRIPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "walk": ("walk", ()),
    "slow walk": ("walk", ("walk slowly", "walk forward slowly", "walk at a slow pace")),
    "slow walk/stride": ("walk", ("walk slowly", "stride slowly")),
    "walk/stride": ("walk", ("stride", "stride forward", "walk with long strides")),
    "walk, exaggerated stride": ("walk", ("walk with exaggerated strides", "walk with very large steps")),
    "walk, veer left": ("walk-turn-left", ("walk and *veer left", "veer to the left while walking")),
    "walk on uneven terrain": ("uneven-walk", ()),
    "walk forward, turn around, walk back": ("walk-turn-around", ()),
    "start walk stop": ("walk", ("start walking and then *stop", "walk a few steps and *stop")),
    "start walk left": ("walk-turn-left", ("start walking and *turn left", "walk away to the left")),
    "start walk right": ("walk-turn-right", ("start walking and *turn right", "walk away to the right")),
    "start hop stop": ("hop-forward", ()),
    "start duck underneath stop": ("duck", ()),
    "jump stop": ("jump", ("jump and then *stop",)),
    "run": ("run", ()),
    "run/jog": ("run", ()),
    "jump": ("jump", ()),
    "forward jump": ("jump-forward", ()),
    "jump, balance": ("jump", ("jump and *balance", "jump and *keep the balance")),
    "jump up and down, hop on one foot": ("one-leg-hop", ("jump up and down",)),
    "balance on one leg, outstretched arms": ("balance", ()),
    "bend over, scoop up, rise, lift arm": (
        "pick-up",
        ("bend over, *scoop something up and *lift it", "bend down, *pick something up and *raise the arm"),
    ),
    "swordplay": ("slash", ("do swordplay", "fight with a sword", "practice sword moves")),
    "wash self": ("wash", ()),
    "soccer - kick ball": ("kick-ball", ()),
    "salsa dance": ("salsa", ()),
    "lambada dance": ("lambada", ()),
    "direct traffic": ("traffic", ()),
    "wash windows": ("wash-window", ()),
    "basketball referee signals": ("referee", ()),
    "swing": ("swing-club", ()),
    "motorcycle": ("ride", ()),
    "backflip": ("backflip", ()),
    "cartwheel": ("cartwheel", ()),
    "jump kick": ("jump-kick", ()),
    "side flip": ("flip", ("do a side flip", "flip sideways")),
    "hand spring": ("handspring", ()),
    "empi": ("karate", ()),
    "gedanbarai": ("karate", ("do karate blocks", "practice a low karate block")),
    "heiansyodan": ("karate", ()),
    "mawashigeri": ("karate", ("do karate roundhouse kicks", "practice roundhouse kicks")),
    "oiduki": ("karate", ("do karate punches while stepping", "practice karate lunge punches")),
    "syutouuke": ("karate", ("do karate knife-hand blocks", "practice knife-hand blocks")),
    "yokogeri": ("karate", ("do karate side kicks", "practice side kicks")),
}
"""Description -> (content, verb phrases that say more than the content's own)."""
LISTS = (
    (r"^playground - forward jumps", "jump-forward"),
    (r"^playground", "climb"),
    (r"^dance", "ballet"),
    (r"indian dance", "indian-dance"),
    (r"^basketball.*shoot", "basketball-throw"),
    (r"^basketball", "dribble"),
    (r"^jumping jacks", "jumping-jacks"),
)
"""Pattern of descriptions that list several actions -> content; the first one that matches decides."""
_DETAILS = re.compile(r"(dance|basketball|playground) - (.+)")


def labels(description: str, sentences: tuple[str, ...] = ()) -> Labels:
    """Return the labels of a trial.

    Args:
        description: of the trial, as the database has it ("walk, veer left").
        sentences: captions that people wrote for it.
    """
    content, phrases = _content(description)
    details = _DETAILS.match(description)
    if details and content:
        sentences = (*sentences, f"{content_sentence(content)}: {details[2].replace('/', ' or ')}")
    return Labels(content=content, phrases=phrases, sentences=sentences)


def dance_style(description: str) -> str | None:
    """Return the dance style that a description names, one of `dance_styles.STYLES`; None if it is no dance."""
    description = description.lower()
    if description.startswith("dance - "):
        return "ballet"  # a list of its steps: arabesque, jete, pirouette
    return label_dance_style(description)


def _content(description: str) -> tuple[str | None, tuple[str, ...]]:
    """Return (content, phrases) for a description."""
    text = description.strip().lower()
    if text in DESCRIPTIONS:
        return DESCRIPTIONS[text]
    return next((content for pattern, content in LISTS if re.search(pattern, text)), None), ()
