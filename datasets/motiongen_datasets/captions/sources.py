"""From what each data source says of a clip (a label, a description, an animation's name) to the grammar's contents."""

import re

# Bandai-Namco labels that are one of the grammar's contents under another name.
BANDAI_CONTENTS = {"dance-short": "dance", "dance-long": "dance"}

# CMU's one-line descriptions -> (content, verb phrases that say more than the content's own).
CMU_DESCRIPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
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
# Descriptions that are lists: the first pattern that is found decides; the list itself becomes a sentence.
CMU_LISTS = (
    (r"^playground - forward jumps", "jump-forward"),
    (r"^playground", "climb"),
    (r"^dance", "ballet"),
    (r"indian dance", "indian-dance"),
    (r"^basketball.*shoot", "basketball-throw"),
    (r"^basketball", "dribble"),
    (r"^jumping jacks", "jumping-jacks"),
)

# HDM05 class names without the repetition count -> (content, side in the name).
HDM05_CLASSES = (
    (r"depositFloorR", "put-down", "right"),
    (r"elbowToKnee", "elbow-to-knee", None),
    (r"grabHighR", "grab-high", "right"),
    (r"hopBothLegs", "hop", None),
    (r"jogLeftCircle", "jog-circle-left", "left"),
    (r"kickLFront", "kick", "left"),
    (r"kickRFront", "kick", "right"),
    (r"lieDownFloor", "lie-down", None),
    (r"rotateArmsBothBackward", "rotate-arms", None),
    (r"sneak", "sneak", None),
    (r"squat", "squat", None),
    (r"throwBasketball", "basketball-throw", None),
)

# G1 Moves: what the names say beyond dance or karate.
G1_CLIPS: dict[str, tuple[str, ...]] = {
    "StepTouch": ("do the step touch dance",), "Modern": ("dance a modern dance",), "Salsa": ("dance salsa",),
    "Broadway": ("dance like on broadway",), "Hype": ("dance to hip hop",), "Sassy": ("dance in a sassy way",),
    "Party": ("dance at a party",), "WestCoast": ("dance a west coast swing",), "Shuffle": ("dance the shuffle",),
    "Disco": ("dance disco",), "JazzWalk": ("do a jazz walk",), "Nineties": ("dance like in the nineties",),
    "DadDance": ("dance like a dad",), "Wiggle": ("wiggle and *dance",), "Spiral": ("dance in a spiral",),
    "StretchDance": ("stretch and *dance",), "ChopsKarate": ("do karate chops", "chop with the hands"),
    "SpinKarate": ("do a karate spin",), "BowKarate": ("bow before karate", "do a karate bow"),
    "ForwardKarate": ("advance with karate moves",), "AttackKarate": ("attack with karate moves",),
    "M_Move1": ("do a guard combo",), "M_Move2": ("throw a low punch",), "M_Move3": ("take a horse stance",),
    "M_Move4": ("throw a spinning punch",), "M_Move5": ("throw a twisting punch",),
    "M_Move6": ("do a spinning strike",),
    "M_Move7": ("throw rapid punches",), "M_Move8": ("drop and *spin",), "M_Move9": ("change levels while fighting",),
    "M_Move10": ("do a side kick",), "M_Move11": ("attack in a blitz",), "M_Move17": ("do a double strike",),
    "M_Move18": ("do a karate front kick",), "M_Move19": ("do a slow kata",), "M_Move20": ("do an open-hand strike",),
    "M_ShortMove12": ("throw a quick jab",), "M_ShortMove13": ("do a snap kick",),
    "M_ShortMove14": ("throw a light punch",),
    "M_ShortMove15": ("do a dropping strike",), "M_ShortMove16": ("do a burst of power strikes",),
    "HandsUp": ("put the hands up",), "HandsChop": ("chop with both hands",),
}  # fmt: skip
G1_CONTENTS = ((r"dance", "dance"), (r"fence", "fence"), (r"handsup", "raise-up-both-hands"), (r"", "karate"))

# Animation names of the CC0 packs, lower case, without rig prefix, "_loop" and variant letters; first match decides.
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
RIG_PREFIX = re.compile(r"^(man|male|female|robot|alien|skeletons?|experimental|armature\w*) ")


def animation_content(name: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Return (content, style, phrases) for an animation's name such as "Melee_1H_Attack_Chop"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-.]+", " ", name).lower()
    words = words.replace("jump loop", "jump idle")  # the part in mid-air, not a jump
    words = re.sub(r"\b(loop|rm|[a-c]|\d)\b", " ", words)
    words = RIG_PREFIX.sub("", " ".join(words.split()))
    style = "zombie" if "zombie" in words else None
    for pattern, content, phrases in ANIMATION_NAMES:
        if re.search(pattern, words):
            return content, style, phrases
    return None, style, ()


def cmu_content(description: str) -> tuple[str | None, tuple[str, ...]]:
    """Return (content, phrases) for one of CMU's descriptions."""
    text = description.strip().lower()
    if text in CMU_DESCRIPTIONS:
        return CMU_DESCRIPTIONS[text]
    for pattern, content in CMU_LISTS:
        if re.search(pattern, text):
            return content, ()
    return None, ()


def hdm05_content(name: str) -> tuple[str | None, str | None]:
    """Return (content, side) for an HDM05 clip or class name."""
    for pattern, content, side in HDM05_CLASSES:
        if pattern in name:
            return content, side
    return None, None


def g1_content(name: str) -> tuple[str, tuple[str, ...]]:
    """Return (content, phrases) for a clip of G1 Moves, by its folder and name."""
    phrases = next(
        (phrases for key, phrases in sorted(G1_CLIPS.items(), key=lambda kv: -len(kv[0])) if key in name), ()
    )
    content = next(content for pattern, content in G1_CONTENTS if re.search(pattern, name.lower()))
    return content, phrases
