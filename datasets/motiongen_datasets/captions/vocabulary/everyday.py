"""Wordings of housework, tools, food, clothes, instruments, play and what else a day brings."""

from motiongen_datasets.captions.vocabulary.action import Action

EVERYDAY: dict[str, Action] = {
    # Food and the body
    "drink": Action(
        phrases=("drink", "take a drink", "drink from a cup", "raise a cup and *drink"),
        held_out=("have a drink", "bring a cup to the mouth"),
    ),
    "eat": Action(phrases=("eat", "eat a meal", "eat something"), held_out=("have a meal",)),
    "cook": Action(
        phrases=("cook", "prepare food", "work in the kitchen"), held_out=("make something to eat",)
    ),
    "stir": Action(
        phrases=("stir", "mix something in a bowl", "stir a bowl"), held_out=("whisk something",)
    ),
    "cut": Action(phrases=("cut something", "slice food", "chop vegetables"), held_out=("cut up food",)),
    "groom": Action(
        phrases=("comb the hair", "brush the hair", "groom themselves"), held_out=("tidy the hair",)
    ),
    "brush-teeth": Action(phrases=("brush the teeth", "clean the teeth"), held_out=("scrub the teeth",)),
    "shave": Action(phrases=("shave", "shave the face"), held_out=("have a shave",)),
    "dress": Action(
        phrases=("put on clothes", "get dressed", "put on a jacket"), held_out=("slip into clothes",)
    ),
    "put-on-hat": Action(phrases=("put on a hat", "put on a cap"), held_out=("set a hat on the head",)),
    "scratch-head": Action(
        phrases=("scratch the head", "*scratch the head thoughtfully"), held_out=("rub the scalp",)
    ),
    "touch-face": Action(phrases=("touch the face", "rub the face"), held_out=("feel the own face",)),
    "yawn": Action(phrases=("yawn", "yawn and *stretch"), held_out=("give a yawn",)),
    "cough": Action(phrases=("cough", "cough into the hand"), held_out=("have a coughing fit",)),
    "smoke": Action(phrases=("smoke", "smoke a cigarette"), held_out=("have a smoke",)),
    # Housework and tools
    "sweep": Action(
        phrases=("sweep the floor", "sweep with a broom", "clean the floor"), held_out=("work with a broom",)
    ),
    "rake": Action(phrases=("rake leaves", "work with a rake"), held_out=("rake the lawn",)),
    "dig": Action(phrases=("dig a hole", "dig with a shovel", "dig"), held_out=("shovel earth",)),
    "plant": Action(phrases=("plant a flower", "plant something in the ground"), held_out=("do gardening",)),
    "hammer": Action(phrases=("hammer a nail", "use a hammer", "hammer"), held_out=("pound in a nail",)),
    "saw": Action(phrases=("saw wood", "use a hand saw", "saw"), held_out=("cut wood with a saw",)),
    "screw": Action(
        phrases=("tighten a screw", "turn a wrench", "turn a screw"), held_out=("use a screwdriver",)
    ),
    "paint": Action(phrases=("paint a wall", "paint"), held_out=("work with a paint brush",)),
    "chop-wood": Action(phrases=("chop wood", "swing an axe"), held_out=("split logs",)),
    "hang-picture": Action(phrases=("hang a picture", "hang something on the wall"), held_out=("put up a picture",)),
    "coil-rope": Action(phrases=("coil a rope", "wind up a rope"), held_out=("roll up a rope",)),
    "sew": Action(phrases=("sew", "sew with needle and thread"), held_out=("stitch something",)),
    "open-box": Action(phrases=("open a box", "open and *close a box"), held_out=("lift the lid of a box",)),
    "open-window": Action(phrases=("lift open a window", "open a window"), held_out=("push up a window",)),
    "umbrella": Action(phrases=("open an umbrella", "hold an umbrella"), held_out=("put up an umbrella",)),
    "door": Action(phrases=("open a door", "try a door", "push a door open"), held_out=("go to open a door",)),
    "knock": Action(phrases=("knock on a door", "knock"), held_out=("rap on a door",)),
    "lift": Action(phrases=("lift something", "lift something up", "lift a box"), held_out=("heave something up",)),
    "lift-weights": Action(phrases=("lift weights", "lift a heavy weight"), held_out=("train with weights",)),
    "pull": Action(phrases=("pull something", "pull a heavy object"), held_out=("tug at something",)),
    "drag": Action(phrases=("drag something heavy", "drag something backward"), held_out=("haul something along",)),
    "reach": Action(phrases=("reach for something", "reach out"), held_out=("stretch out for something",)),
    "reach-up": Action(phrases=("reach up high", "reach for something high up"), held_out=("stretch up for something",)),
    "screen": Action(phrases=("watch television", "sit and *watch television"), held_out=("change channels",)),
    "phone": Action(
        phrases=("talk on the phone", "make a phone call", "use a phone"), held_out=("take a call",)
    ),
    "type": Action(phrases=("type on a keyboard", "type on a laptop", "type"), held_out=("work at a computer",)),
    "write": Action(phrases=("write on a board", "write"), held_out=("write something down",)),
    "read": Action(phrases=("read papers", "look through documents"), held_out=("leaf through papers",)),
    "camera": Action(phrases=("take a picture", "hold a camera"), held_out=("film something",)),
    "pay": Action(phrases=("pay for something", "buy something"), held_out=("hand over money",)),
    "drive": Action(phrases=("drive a car", "sit and *steer a car"), held_out=("sit at the wheel",)),
    "row": Action(phrases=("row a boat", "row"), held_out=("pull at oars",)),
    "fish-with-rod": Action(phrases=("fish", "cast a fishing rod", "go fishing"), held_out=("angle for fish",)),
    "drums": Action(phrases=("play the drums", "drum"), held_out=("beat the drums",)),
    "piano": Action(phrases=("play the piano", "sit and *play the piano"), held_out=("tickle the keys",)),
    "violin": Action(phrases=("play the violin", "play a violin"), held_out=("fiddle",)),
    "conduct": Action(phrases=("conduct an orchestra", "conduct"), held_out=("lead an orchestra",)),
    "teach": Action(phrases=("teach a class", "give a lecture"), held_out=("hold a lesson",)),
    "hold-baby": Action(phrases=("hold a baby", "rock a baby"), held_out=("cradle a baby",)),
    "push-swing": Action(phrases=("push a swing", "push someone on a swing"), held_out=("give a swing a push",)),
    "swing-arms": Action(phrases=("swing the arms", "stand and *swing the arms"), held_out=("let the arms swing",)),
    # People
    "shake-hands": Action(phrases=("shake hands", "shake someone's hand"), held_out=("greet with a handshake",)),
    "high-five": Action(phrases=("give a high five", "high-five someone"), held_out=("slap palms with someone",)),
    "comfort": Action(phrases=("comfort someone", "put the hands on someone's shoulders"), held_out=("console someone",)),
    "threaten": Action(phrases=("threaten someone", "quarrel with angry gestures"), held_out=("have a quarrel",)),
    "present": Action(phrases=("present something", "point out something"), held_out=("show something off",)),
    "shrug": Action(phrases=("shrug", "shrug the shoulders"), held_out=("give a shrug",)),
    "think": Action(phrases=("think", "stand in thought", "ponder"), held_out=("mull something over",)),
    "laugh": Action(phrases=("laugh", "laugh out loud"), held_out=("have a good laugh",)),
    "cry": Action(phrases=("cry", "weep"), held_out=("sob",)),
    "scared": Action(phrases=("be scared", "cower in fear"), held_out=("take fright",)),
    "look-around": Action(phrases=("look around", "stand and *look around"), held_out=("gaze about",)),
    "search": Action(phrases=("search the ground", "look for something on the ground"), held_out=("hunt for something",)),
    "wait": Action(phrases=("wait", "wait for the bus", "stand and *wait"), held_out=("kill time",)),
    "peekaboo": Action(phrases=("play peekaboo", "hide the face and *peek out"), held_out=("play hide the face",)),
    "swat": Action(phrases=("swat at a fly", "swat at an insect"), held_out=("slap at a bug",)),
    "rhyme": Action(
        phrases=("act out a nursery rhyme", "recite a nursery rhyme with gestures"), held_out=("mime a children's song",)
    ),
    "story": Action(phrases=("tell a story with gestures", "act out a story"), held_out=("mime a tale",)),
    "animal": Action(phrases=("move like an animal", "act like an animal"), held_out=("imitate an animal",)),
    "robot": Action(phrases=("move like a robot", "walk like a robot"), held_out=("imitate a machine",)),
}  # fmt: skip
