"""Phrases of locomotion."""

from motiongen_datasets.captions.vocabulary.action import Action

LOCOMOTION: dict[str, Action] = {
    # Locomotion
    "walk": Action(
        phrases=(
            "walk forward", "walk", "walk straight ahead", "walk forwards", "stroll forward", "walk ahead",
            "take several steps forward", "walk in a straight line",
        ),
        held_out=("go forward on foot", "walk onward", "walk straight forward", "amble ahead"),
    ),
    "run": Action(
        phrases=(
            "run forward", "run", "jog", "run straight ahead", "run forwards", "jog forward", "run ahead",
        ),
        held_out=("go forward at a run", "run straight forward", "run onward"),
    ),
    "dash": Action(
        phrases=(
            "sprint forward", "dash", "sprint", "dash forward", "run as fast as possible",
            "rush forward at full speed", "run very fast",
        ),
        held_out=("race ahead at top speed", "dash straight ahead", "sprint straight ahead"),
    ),
    "walk-back": Action(
        phrases=(
            "walk backward", "walk backwards", "step backward", "back away", "walk back",
            "take steps backward", "go backwards",
        ),
        held_out=("move backward on foot", "walk in reverse", "retreat backwards step by step"),
    ),
    "walk-left": Action(
        phrases=(
            "walk to the left", "walk left", "walk diagonally to the left", "walk forward to the left",
            "walk leftward", "walk off to the left side", "move left at a walk",
        ),
        held_out=("go left on foot", "stroll to the left", "walk toward the left"),
    ),
    "walk-turn-left": Action(
        phrases=(
            "walk forward and *turn left", "walk and *turn to the left", "turn left while walking",
            "walk forward, then *turn left", "walk in a curve to the left", "walk and *make a left turn",
            "walk around a corner to the left",
        ),
        held_out=(
            "walk ahead and *take a left turn", "walk on and *turn towards the left",
            "turn to the left at a walk",
        ),
    ),
    "jog-circle": Action(
        phrases=("jog in a circle", "run in a circle"),
        held_out=("jog around in a circle",),
        sided=(
            "jog in a circle to the {side}", "jog around to the {side}", "run in a circle to the {side}",
            "run four steps in a {side} circle", "run and *turn {side} in a circle",
        ),
        held_sided=("circle to the {side} at a jog", "jog along a circle to the {side}"),
    ),
    "sneak": Action(
        phrases=(
            "sneak forward", "sneak", "creep forward", "tiptoe quietly", "sneak two steps",
            "walk stealthily",
        ),
        held_out=("prowl ahead", "walk on tiptoe without a sound"),
    ),
    "crawl": Action(
        phrases=("crawl", "crawl forward", "crawl on hands and knees", "crawl along the ground"),
        held_out=("go forward on all fours", "crawl over the floor"),
    ),
    "crouch": Action(
        phrases=("crouch", "crouch down low", "stay in a crouch", "move while crouching", "duck down"),
        held_out=("keep low in a crouch", "hunker down"),
    ),
    "walk-turn-around": Action(
        phrases=(
            "walk forward, *turn around and *walk back", "walk there and back",
            "walk, *turn around and *return",
        ),
        held_out=("walk ahead, *turn and *come back",),
    ),
    "duck": Action(
        phrases=(
            "duck under something", "walk and *duck underneath something", "duck down and *go under a bar",
        ),
        held_out=("stoop to pass below something",),
    ),
    "hop-forward": Action(
        phrases=("hop forward", "hop along", "hop a few times and *stop"),
        held_out=("bounce ahead in hops",),
    ),
    "rise": Action(
        phrases=("rise from the ground", "awaken and *rise", "come to life"),
        held_out=("emerge from the floor",),
    ),
    "fall": Action(
        phrases=("fall through the air", "hang in the air", "be in mid-air"),
        held_out=("drop through the air",),
    ),
    "land": Action(
        phrases=("land from a jump", "land on both feet", "land on the ground"),
        held_out=("touch down after a jump",),
    ),
    "bite": Action(
        phrases=("bite someone", "lunge forward and *bite"),
        held_out=("snap at someone with the teeth",),
    ),
    "transform": Action(phrases=("transform", "change shape"), held_out=("turn into something else",)),
    "jump-kick": Action(
        phrases=("do a jump kick", "jump and *kick", "kick while jumping"),
        held_out=("deliver a flying kick",),
    ),
    "dab": Action(phrases=("dab", "do a dab", "strike a dab pose"), held_out=("make the dab move",)),
    "uneven-walk": Action(
        phrases=(
            "walk on uneven ground", "walk over rough terrain", "walk over uneven terrain",
            "step over bumpy ground",
        ),
        held_out=("cross rough ground on foot", "walk over a bumpy surface"),
    ),
    "strafe": Action(
        phrases=("run sideways", "strafe"),
        held_out=("shuffle sideways",),
        sided=(
            "strafe to the {side}", "run sideways to the {side}", "shuffle sideways to the {side}",
            "sidestep quickly to the {side}",
        ),
        held_sided=("run sideways towards the {side}", "strafe {side}"),
    ),
    "dodge": Action(
        phrases=("dodge", "evade an attack", "dodge quickly"),
        held_out=("dodge a blow",),
        sided=(
            "dodge to the {side}", "dodge {side}", "leap to the {side} to dodge",
            "jump aside to the {side}",
        ),
        held_sided=("evade to the {side}", "dodge towards the {side}"),
    ),
    "dodge-forward": Action(
        phrases=("dodge forward", "lunge forward to evade", "leap forward to dodge"),
        held_out=("evade forward",),
    ),
    "dodge-backward": Action(
        phrases=("dodge backward", "jump back to evade", "leap backwards to dodge"),
        held_out=("evade backward",),
    ),
}  # fmt: skip
