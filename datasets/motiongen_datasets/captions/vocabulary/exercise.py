"""Wordings of sport, fighting, acrobatics, steps and dances beyond the commonest."""

from motiongen_datasets.captions.vocabulary.action import Action

EXERCISE: dict[str, Action] = {
    "boxing": Action(phrases=("box", "throw boxing punches", "shadow-box"), held_out=("spar with the fists",)),
    "lunge": Action(phrases=("do lunges", "lunge", "step into a lunge"), held_out=("sink into a lunge",)),
    "block-punch": Action(phrases=("block attacks", "do blocking moves"), held_out=("parry blows",)),
    "pitch": Action(phrases=("pitch a baseball", "throw a pitch"), held_out=("hurl a baseball",)),
    "bat": Action(phrases=("swing a baseball bat", "bat"), held_out=("hit a baseball",)),
    "golf": Action(phrases=("swing a golf club", "play golf"), held_out=("drive a golf ball",)),
    "putt": Action(phrases=("putt a golf ball", "putt"), held_out=("roll a golf ball to the hole",)),
    "golf-ball": Action(phrases=("place a golf ball", "bend down to place a golf ball"), held_out=("tee up",)),
    "football": Action(phrases=("throw a football", "throw and *catch a football"), held_out=("pass a football",)),
    "frisbee": Action(phrases=("throw a frisbee", "play frisbee"), held_out=("fling a disc",)),
    "catch": Action(phrases=("catch something", "catch and *throw a ball"), held_out=("snatch something from the air",)),
    "yoga": Action(phrases=("do yoga", "do a yoga pose", "practice yoga"), held_out=("hold yoga postures",)),
    "sun-salutation": Action(
        phrases=("do a sun salutation", "do a yoga sun salutation"), held_out=("greet the sun in yoga",)
    ),
    "range-of-motion": Action(
        phrases=("move all joints through their range", "do range of motion exercises"), held_out=("loosen all joints",)
    ),
    "handstand": Action(phrases=("do a handstand", "stand on the hands"), held_out=("stand upside down",)),
    "somersault": Action(phrases=("do a somersault", "roll over backward"), held_out=("tumble over",)),
    "balance-beam": Action(phrases=("walk along a balance beam", "balance along a beam"), held_out=("walk a narrow beam",)),
    "hopscotch": Action(phrases=("play hopscotch", "hop along a hopscotch"), held_out=("hop from square to square",)),
    "jump-turn": Action(
        phrases=("jump and *turn in the air", "turn around in a jump"), held_out=("spin in mid-air",)
    ),
    "jump-side": Action(phrases=("jump sideways", "hop to the side"), held_out=("leap to one side",)),
    "jump-reach": Action(phrases=("jump up to grab something", "jump and *reach up"), held_out=("leap for something high",)),
    "jump-down": Action(phrases=("jump down from a ledge", "jump off a ledge"), held_out=("leap down",)),
    "jump-over": Action(phrases=("jump over something", "run and *jump over something"), held_out=("clear a hurdle",)),
    "skip": Action(phrases=("skip", "skip forward", "skip along"), held_out=("go skipping",)),
    "step-over": Action(phrases=("step over something", "step over an obstacle"), held_out=("lift the feet over a thing",)),
    "step": Action(phrases=("take a step", "make a step"), held_out=("take one pace",)),
    "step-side": Action(phrases=("step to the side", "take a side step"), held_out=("make a pace sideways",)),
    "stairs": Action(phrases=("walk up stairs", "climb stairs", "go up and down stairs"), held_out=("mount some steps",)),
    "ladder": Action(phrases=("climb a ladder", "climb up a ladder"), held_out=("go up rungs",)),
    "walk-sideways": Action(phrases=("walk sideways", "walk to the side"), held_out=("go crabwise",)),
    "walk-circle": Action(phrases=("walk in a circle", "walk around in circles"), held_out=("go round in a ring",)),
    "run-circle": Action(phrases=("run in a circle", "run around in circles"), held_out=("race round in a ring",)),
    "figure-eight": Action(phrases=("walk in a figure eight", "walk a figure of eight"), held_out=("trace an eight",)),
    "march": Action(phrases=("march", "march like a soldier"), held_out=("go at a marching pace",)),
    "limp": Action(phrases=("limp", "walk with a limp", "hobble"), held_out=("drag one leg",)),
    "tiptoe": Action(phrases=("walk on tiptoe", "walk on the toes"), held_out=("go on the tips of the toes",)),
    "crouch-walk": Action(phrases=("walk crouched", "walk bent low"), held_out=("go along hunched down",)),
    "moonwalk": Action(phrases=("moonwalk", "do the moonwalk"), held_out=("glide backward like a dancer",)),
    "wander": Action(phrases=("wander around", "walk around"), held_out=("stroll about",)),
    "turn": Action(phrases=("turn in place", "turn on the spot", "turn around"), held_out=("swivel round",)),
    "turn-left": Action(
        phrases=("turn left", "turn to the left", "turn left on the spot"), held_out=("swivel to the left",)
    ),
    "run-back": Action(phrases=("run backward", "run backwards"), held_out=("race in reverse",)),
    "run-turn-left": Action(
        phrases=("run and *turn left", "run in a curve to the left"), held_out=("race round to the left",)
    ),
    "run-stop": Action(phrases=("run and *stop", "run and suddenly *stop"), held_out=("race and then halt",)),
    "stumble": Action(phrases=("stumble", "trip and *stumble"), held_out=("lose the footing",)),
    "spin": Action(phrases=("spin", "spin around", "whirl around"), held_out=("twirl",)),
    "get-up": Action(phrases=("get up from the floor", "get up from lying down"), held_out=("come to the feet from the floor",)),
    "roll-over": Action(phrases=("roll over on the floor", "roll over"), held_out=("turn over lying",)),
    "sit-high": Action(
        phrases=("sit on a high stool", "sit on a stool and *stand up"), held_out=("perch on a stool",)
    ),
    "superhero": Action(phrases=("act like a superhero", "pose like a superhero"), held_out=("play the hero",)),
    "macarena": Action(phrases=("dance the macarena",), held_out=("do the macarena moves",)),
    "charleston": Action(phrases=("dance the charleston",), held_out=("do charleston steps",)),
    "lindy-hop": Action(phrases=("dance the lindy hop",), held_out=("do lindy hop steps",)),
    "russian-dance": Action(phrases=("do a russian squat dance", "dance a russian dance"), held_out=("do cossack kicks",)),
    "chicken-dance": Action(phrases=("do the chicken dance",), held_out=("dance like a hen",)),
    "modern-dance": Action(phrases=("dance a modern dance", "do a modern dance move"), held_out=("move like a dancer",)),
}  # fmt: skip
