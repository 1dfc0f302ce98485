"""Labels of the animation packs: the names of their animations as contents of the caption grammar."""

import re

from motiongen_datasets.captions import Labels

ANIMATION_NAMES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"zombie ?bite", "bite", ()),
    (r"zombie ?crawl|crawl", "crawl", ()),
    (r"crouch.*idle|^crouching", "crouch", ()),
    (r"crouch", "crouch", ("walk forward in a crouch",)),
    (r"sneak", "sneak", ()),
    (r"walk jump|running jump", "jump-forward", ("run and *jump", "jump while running")),
    (r"jumping jacks", "jumping-jacks", ()),
    (r"jump.*chop", "chop", ("jump and *chop downward",)),
    (r"jump start", "jump", ("take off for a jump",)),
    (r"jump land", "land", ()),
    (r"jump idle", "fall", ()),
    (r"jump", "jump", ()),
    (r"strafe left", "strafe-left", ()),
    (r"strafe right", "strafe-right", ()),
    (r"dodge left", "dodge-left", ()),
    (r"dodge right", "dodge-right", ()),
    (r"dodge back", "dodge-backward", ()),
    (r"dodge forward", "dodge-forward", ()),
    (r"walk.* backwards?", "walk-back", ()),
    (r"(run|walk).*(hold|carry)", "carry", ()),
    (r"walk formal", "walk", ("walk formally", "walk upright and formally")),
    (r"walk", "walk", ()),
    (r"sprint", "dash", ()),
    (r"jog|run", "run", ()),
    (r"attack.*spin|spin", "spin-attack", ()),
    (r"block|defend", "block", ()),
    (r"kick", "kick", ()),
    (r"jab|punch", "punch", ()),
    (r"dualwield.*chop", "chop", ("chop with two weapons",)),
    (r"chop|smash|slam", "chop", ()),
    (r"dualwield.*stab", "stab", ("stab with two blades",)),
    (r"stab", "stab", ()),
    (r"dualwield.*sl", "slash", ("slash with two swords",)),
    (r"sword idle|(melee|unarmed|fighting) .*idle|fighting idle|unarmed", "fight-stance", ()),
    (r"2h attack", "slash", ("swing a two-handed weapon",)),
    (r"slice|slash|sword", "slash", ()),
    (r"skeleton attack|^attack", "slash", ("attack with a weapon",)),
    (r"ranged bow|draw", "archery", ()),
    (r"reload", "reload", ()),
    (r"aim|pistol idle|ranged.*idle", "aim", ()),
    (r"magic|spell|blast|power up", "cast", ()),
    (r"shoot", "shoot", ()),
    (r"resurrect|awaken|spawn", "rise", ()),
    (r"death|die", "die", ()),
    (r"hit|recieve|receive", "hit", ()),
    (r"throw", "throw", ()),
    (r"pick ?up", "pick-up", ()),
    (r"use item|consume", "use-item", ()),
    (r"interact|fixing|working", "interact", ()),
    (r"push ?ups?", "push-up", ()),
    (r"push", "push", ()),
    (r"sit ?ups?", "sit-up", ()),
    (r"sit floor (down)", "sit-down-floor", ()),
    (r"sit.*(stand ?up|exit)|stand ?up|^standing", "stand-up", ()),
    (r"sit floor", "sit-floor", ()),
    (r"sit.*talking", "sit", ("sit and *talk", "talk while sitting")),
    (r"sit.*idle|sitidle", "sit", ()),
    (r"sit", "sit-down", ()),
    (r"lie down", "lie-down", ()),
    (r"lie|sleep", "lie", ()),
    (r"kneeling", "kneel", ("kneel down, tired",)),
    (r"meditate", "meditate", ()),
    (r"talking", "talk", ()),
    (r"listening", "idle", ("stand and *listen", "listen to someone")),
    (r"torch", "idle", ("stand holding a torch",)),
    (r"tired", "idle", ("stand bent over and *catch one's breath",)),
    (r"ymca", "dance", ("dance the ymca",)),
    (r"charleston", "dance", ("dance the charleston",)),
    (r"body roll", "dance", ("do a body roll dance",)),
    (r"dab", "dab", ()),
    (r"dance", "dance", ()),
    (r"backflip", "backflip", ()),
    (r"roll", "roll", ()),
    (r"swim", "swim", ()),
    (r"fly|levitate", "fly", ()),
    (r"driving", "ride", ("drive a car", "sit and *steer")),
    (r"clap", "clap", ()),
    (r"cheer|victory", "cheer", ()),
    (r"defeat", "despair", ()),
    (r"flex", "flex", ()),
    (r"taunt", "taunt", ()),
    (r"wav(e|ing)", "wave", ()),
    (r"thumbs", "thumbs-up", ()),
    (r"greeting", "greet", ()),
    (r"nod|yes", "nod", ()),
    (r"reject|robot no$|^no$", "shake-head", ()),
    (r"confused", "confused", ()),
    (r"angry", "angry-gesture", ()),
    (r"dizzy", "dizzy", ()),
    (r"shiver", "shiver", ()),
    (r"bow", "bow", ()),
    (r"transform", "transform", ()),
    (r"zombie$", "walk", ()),
    (r"idle", "idle", ()),
)
"""Pattern of an animation's words -> (content, verb phrases that say more); the first one that matches decides.

The words are in lower case, without the rig's prefix, "loop" and the letters of variants.
"""
_RIG_PREFIX = re.compile(r"^(man|male|female|robot|alien|skeletons?|experimental|armature\w*) ")


def labels(name: str) -> Labels:
    """Return the labels of an animation by its name, such as "Melee_1H_Attack_Chop"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-.]+", " ", name).lower()
    words = words.replace("jump loop", "jump idle")  # the part in mid-air, not a jump
    words = re.sub(r"\b(loop|rm|[a-c]|\d)\b", " ", words)
    words = _RIG_PREFIX.sub("", " ".join(words.split()))
    style = "zombie" if "zombie" in words else None
    for pattern, content, phrases in ANIMATION_NAMES:
        if re.search(pattern, words):
            return Labels(content=content, style=style, phrases=phrases)
    return Labels(style=style)


def dance_style(labels: Labels) -> str | None:
    """Return "freestyle" for a dance, None for any other content."""
    return "freestyle" if labels.content in ("dance", "dab") else None
