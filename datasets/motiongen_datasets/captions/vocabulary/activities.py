"""Phrases of sport, dance, work and rest."""

from motiongen_datasets.captions.vocabulary.action import Action

ACTIVITIES: dict[str, Action] = {
    # Sport
    "jump": Action(
        phrases=("jump", "jump up", "leap into the air", "jump in place", "do a jump"),
        held_out=("spring up off the ground", "leap up"),
    ),
    "jump-forward": Action(
        phrases=("jump forward", "leap forward", "do a forward jump", "hop forward with both feet"),
        held_out=("bound ahead", "spring forward"),
    ),
    "hop": Action(
        phrases=(
            "hop on both legs", "hop once", "hop on the spot", "jump with both feet", "hop up and down",
            "make a small jump on both legs",
        ),
        held_out=("do one hop with both legs", "bounce up off both feet"),
    ),
    "one-leg-hop": Action(
        phrases=("jump up and down and *hop on one foot", "hop on one foot", "hop on one leg"),
        held_out=("bounce on a single leg",),
    ),
    "squat": Action(
        phrases=(
            "squat", "do a squat", "squat down and *stand up", "bend the knees into a squat",
            "perform a squat", "squat once",
        ),
        held_out=("sink into a squat and *rise", "go down into a deep knee bend"),
    ),
    "elbow-to-knee": Action(
        phrases=(
            "touch the elbow to the opposite knee", "bring the elbow to the opposite knee",
            "do elbow to knee exercises", "lift a knee to meet the opposite elbow",
        ),
        held_out=("do standing cross crunches", "make elbow and opposite knee meet"),
    ),
    "rotate-arms": Action(
        phrases=(
            "rotate both arms backward", "swing both arms in circles", "circle both arms backward",
            "rotate the arms", "make big backward circles with both arms",
        ),
        held_out=("turn both arms like windmills", "whirl both arms backward"),
    ),
    "jumping-jacks": Action(
        phrases=("do jumping jacks", "perform jumping jacks", "jump with arms and legs apart"),
        held_out=("exercise with star jumps",),
    ),
    "exercise": Action(
        phrases=("do exercises", "exercise", "work out", "warm up with exercises"),
        held_out=("do a workout",),
    ),
    "stretch": Action(phrases=("stretch", "stretch the body", "do stretches"), held_out=("limber up",)),
    "balance": Action(
        phrases=(
            "balance on one leg", "stand on one leg with outstretched arms", "balance on one foot",
            "stand on one foot",
        ),
        held_out=("keep balance on a single leg",),
        sided=("balance on the {side} leg", "stand on the {side} leg"),
        held_sided=("keep balance on the {side} foot",),
    ),
    "push-up": Action(
        phrases=("do push-ups", "do pushups", "perform push-ups on the floor"),
        held_out=("exercise with press-ups",),
    ),
    "sit-up": Action(
        phrases=("do sit-ups", "perform sit-ups", "do situps"),
        held_out=("do abdominal crunches",),
    ),
    "dribble": Action(
        phrases=(
            "dribble a basketball", "dribble a ball", "dribble", "play basketball",
            "dribble the ball forward",
        ),
        held_out=("bounce a basketball along", "practice dribbling"),
    ),
    "basketball-throw": Action(
        phrases=(
            "throw a basketball", "shoot a basketball", "throw a ball at the basket", "shoot at the basket",
            "make a basketball shot",
        ),
        held_out=("take a shot at the hoop", "toss a basketball at the hoop"),
    ),
    "kick-ball": Action(
        phrases=("kick a ball", "kick a soccer ball", "kick a football", "play soccer"),
        held_out=("shoot a soccer ball", "strike a ball with the foot"),
        sided=("kick a ball with the {side} foot", "kick a soccer ball with the {side} leg"),
        held_sided=("strike a ball with the {side} foot",),
    ),
    "cartwheel": Action(
        phrases=("do a cartwheel", "perform a cartwheel", "cartwheel"),
        held_out=("turn a cartwheel",),
    ),
    "flip": Action(
        phrases=("do a flip", "flip through the air", "do a somersault in the air"),
        held_out=("turn over in mid-air",),
    ),
    "backflip": Action(
        phrases=("do a backflip", "perform a backflip", "flip backward"),
        held_out=("turn a back somersault",),
    ),
    "handspring": Action(
        phrases=("do a handspring", "perform a handspring"),
        held_out=("spring over on both hands",),
    ),
    "roll": Action(
        phrases=("roll on the ground", "do a forward roll", "roll forward", "roll over"),
        held_out=("tumble in a roll",),
    ),
    "swim": Action(
        phrases=("swim", "swim forward", "make swimming movements"),
        held_out=("swim through water",),
    ),
    "fly": Action(
        phrases=("fly", "fly through the air", "float in the air", "levitate"),
        held_out=("hover above the ground",),
    ),
    "climb": Action(
        phrases=("climb", "climb up", "climb on a playground", "climb and *swing"),
        held_out=("clamber on the bars",),
    ),
    # Dance
    "dance": Action(
        phrases=(
            "dance", "perform a dance", "dance to music", "do a dance routine", "dance around",
            "show some dance moves",
        ),
        held_out=("dance to a song", "put on a dance performance"),
    ),
    "ballet": Action(
        phrases=(
            "dance ballet", "perform a ballet dance", "do ballet moves",
            "dance gracefully like a ballet dancer",
        ),
        held_out=("perform a ballet routine", "show ballet steps"),
    ),
    "salsa": Action(
        phrases=("dance salsa", "perform a salsa dance", "do salsa steps", "dance the salsa"),
        held_out=("show a salsa routine", "move to salsa music"),
    ),
    "indian-dance": Action(
        phrases=("perform an Indian dance", "dance in the Indian style", "do a traditional Indian dance"),
        held_out=("show a classical Indian dance",),
    ),
    "lambada": Action(
        phrases=("dance the lambada", "dance lambada", "perform a latin dance"),
        held_out=("show lambada steps",),
    ),
    "break-dance": Action(
        phrases=("breakdance", "perform a break dance", "do break dance moves", "dance like a b-boy"),
        held_out=("show a breaking routine", "put on a breakdance"),
    ),
    "pop-dance": Action(
        phrases=("dance popping", "do popping moves", "perform a popping dance", "dance like a popper"),
        held_out=("show a popping routine",),
    ),
    "lock-dance": Action(
        phrases=("dance locking", "do locking moves", "perform a locking dance", "dance like a locker"),
        held_out=("show a locking routine",),
    ),
    "middle-hip-hop-dance": Action(
        phrases=("dance middle hip hop", "dance hip hop", "do hip hop moves", "perform a hip hop dance"),
        held_out=("show a hip hop routine", "move to hip hop music"),
    ),
    "la-hip-hop-dance": Action(
        phrases=("dance LA style hip hop", "perform an LA style hip hop dance", "do LA hip hop moves"),
        held_out=("show an LA style routine",),
    ),
    "house-dance": Action(
        phrases=("dance house", "do house steps", "perform a house dance", "dance to house music"),
        held_out=("show a house routine", "move to house music"),
    ),
    "waack-dance": Action(
        phrases=("dance waacking", "do waacking moves", "perform a waacking dance", "waack with the arms"),
        held_out=("show a waacking routine",),
    ),
    "krump-dance": Action(
        phrases=("dance krump", "krump", "do krump moves", "perform a krump dance"),
        held_out=("show a krump routine",),
    ),
    "street-jazz-dance": Action(
        phrases=("dance street jazz", "do street jazz moves", "perform a street jazz dance"),
        held_out=("show a street jazz routine",),
    ),
    "ballet-jazz-dance": Action(
        phrases=("dance ballet jazz", "do ballet jazz moves", "perform a ballet jazz dance"),
        held_out=("show a ballet jazz routine",),
    ),
    # Around objects
    "put-down": Action(
        phrases=("put an object down on the floor", "put something down", "place something on the ground"),
        held_out=("lay an object on the floor",),
        sided=(
            "put an object down on the floor with the {side} hand",
            "place something on the floor with the {side} hand",
            "bend down and *put something on the ground with the {side} hand",
            "put something down with the {side} hand",
        ),
        held_sided=(
            "lay an object on the floor with the {side} hand", "set something down with the {side} hand",
        ),
    ),
    "grab-high": Action(
        phrases=(
            "grab something high up", "reach up and *grab something", "take something from a high shelf",
        ),
        held_out=("take hold of something above the head",),
        sided=(
            "grab something high up with the {side} hand",
            "reach up with the {side} hand and *grab something",
            "take something from a high shelf with the {side} hand", "reach up high with the {side} hand",
        ),
        held_sided=(
            "take hold of something above the head with the {side} hand",
            "grasp something overhead with the {side} hand",
        ),
    ),
    "pick-up": Action(
        phrases=(
            "pick something up", "bend down and *pick something up", "pick up an object",
            "pick something up from the floor",
        ),
        held_out=("lift something off the floor",),
    ),
    "interact": Action(
        phrases=(
            "use something with the hands", "reach out and *touch something", "work on something in front",
        ),
        held_out=("handle something in front",),
    ),
    "use-item": Action(
        phrases=("use an item", "drink something", "eat or drink something"),
        held_out=("consume an item",),
    ),
    "push": Action(
        phrases=("push something heavy", "push with both hands", "push an object forward"),
        held_out=("shove a heavy thing ahead",),
    ),
    "carry": Action(
        phrases=(
            "carry something while moving", "run while holding something",
            "move with an object in the hands",
        ),
        held_out=("transport an object by hand",),
    ),
    "wash": Action(phrases=("wash", "wash the body", "take a shower"), held_out=("shower oneself",)),
    "wash-window": Action(
        phrases=("wash windows", "wipe a window", "clean a window"),
        held_out=("polish a window pane",),
    ),
    "swing-club": Action(
        phrases=("swing a golf club", "make a golf swing", "play golf"),
        held_out=("take a swing at a golf ball",),
    ),
    "ride": Action(
        phrases=("sit and *drive a vehicle", "ride a motorcycle", "drive"),
        held_out=("steer a vehicle",),
    ),
    # Standing, sitting, lying
    "idle": Action(
        phrases=(
            "stand idle", "stand still", "stand", "stand around", "stand in place", "wait",
            "stand there and *wait", "stand quietly",
        ),
        held_out=("remain standing", "stay where they are", "keep standing calmly"),
    ),
    "sit": Action(
        phrases=("sit", "sit on a chair", "sit still", "stay seated"),
        held_out=("remain seated",),
    ),
    "sit-floor": Action(
        phrases=("sit on the floor", "sit on the ground"),
        held_out=("remain seated on the floor",),
    ),
    "sit-down": Action(
        phrases=("sit down", "sit down on a chair", "take a seat"),
        held_out=("lower the body onto a seat",),
    ),
    "sit-down-floor": Action(
        phrases=("sit down on the floor", "sit down on the ground"),
        held_out=("settle on the floor",),
    ),
    "stand-up": Action(
        phrases=("stand up", "get up", "rise to the feet", "stand up from sitting"),
        held_out=("come up to a stand",),
    ),
    "lie-down": Action(
        phrases=(
            "lie down on the floor", "lie down", "lie down on the ground", "get down and *lie on the floor",
            "go down to the floor and *lie there",
        ),
        held_out=("stretch out on the floor", "settle down flat on the ground"),
    ),
    "lie": Action(
        phrases=("lie on the ground", "lie still on the floor", "lie on the back"),
        held_out=("rest on the floor",),
    ),
    "kneel": Action(phrases=("kneel", "kneel down", "kneel on the ground"), held_out=("rest on one knee",)),
    "meditate": Action(
        phrases=("meditate", "sit in meditation", "meditate with crossed legs"),
        held_out=("sit cross-legged in contemplation",),
    ),
    "shiver": Action(
        phrases=("shiver", "shiver from the cold", "tremble with cold"),
        held_out=("shake from the cold",),
    ),
    "dizzy": Action(
        phrases=("stagger dizzily", "feel dizzy", "sway from dizziness"),
        held_out=("reel with dizziness",),
    ),
    "despair": Action(
        phrases=("hang the head in defeat", "look defeated", "slump in disappointment"),
        held_out=("sag in defeat",),
    ),
}  # fmt: skip
