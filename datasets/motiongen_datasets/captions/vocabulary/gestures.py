"""Phrases of gestures and of fighting."""

from motiongen_datasets.captions.vocabulary.action import Action

GESTURES: dict[str, Action] = {
    # Gestures
    "bow": Action(
        phrases=(
            "bow", "take a bow", "bow politely", "bow from the waist", "bend forward in a bow",
            "make a bow", "bow down in greeting",
        ),
        held_out=("give a bow", "greet by bowing", "lower the upper body in a bow"),
    ),
    "bye": Action(
        sided=(
            "wave goodbye with the {side} hand", "say goodbye by waving the {side} hand",
            "wave farewell with the {side} hand", "wave bye with the {side} hand",
            "gesture goodbye with the {side} hand",
        ),
        held_sided=(
            "bid farewell with the {side} hand", "give a goodbye wave of the {side} hand",
            "part with a wave of the {side} hand",
        ),
        loose=("wave goodbye", "say goodbye", "wave bye", "say bye with one hand"),
    ),
    "byebye": Action(
        phrases=(
            "wave goodbye with both hands", "say bye bye with both hands", "wave bye bye with two hands",
            "wave farewell with both arms", "say goodbye by waving both hands",
            "wave both hands to say bye bye",
        ),
        held_out=(
            "bid farewell with both hands", "give a goodbye wave of both hands", "part by waving both arms",
        ),
        loose=("wave bye bye", "say bye bye"),
    ),
    "wave": Action(
        sided=(
            "wave with the {side} hand", "wave the {side} hand", "wave the {side} arm",
            "wave a {side} hand in greeting", "raise the {side} hand and *wave it",
            "wave with the {side} arm", "swing the {side} hand from side to side overhead",
        ),
        held_sided=(
            "greet with a wave of the {side} hand", "give a wave with the {side} hand",
            "wave hello with the {side} hand",
        ),
        loose=("wave", "wave a hand", "wave hello", "wave with one hand"),
    ),
    "wave-both-hands": Action(
        phrases=(
            "wave with both hands", "wave both hands", "wave both arms", "raise both hands and *wave them",
            "wave both arms over the head", "wave with two hands", "wave both hands in greeting",
        ),
        held_out=(
            "greet with a wave of both hands", "give a wave with both hands", "wave hello with both hands",
        ),
        loose=("wave the arms", "wave the hands"),
    ),
    "raise-up": Action(
        sided=(
            "raise the {side} hand", "raise the {side} arm", "lift the {side} hand",
            "put the {side} hand up", "lift the {side} arm above the head", "hold up the {side} hand",
            "raise up the {side} hand",
        ),
        held_sided=(
            "stretch the {side} arm up into the air", "bring the {side} hand up high",
            "hold the {side} hand high in the air",
        ),
        loose=("raise a hand", "raise one hand", "put a hand up"),
    ),
    "raise-up-both-hands": Action(
        phrases=(
            "raise both hands", "raise both arms", "lift both hands", "put both hands up",
            "lift both arms above the head", "hold up both hands", "raise up both hands",
            "put the hands up",
        ),
        held_out=(
            "stretch both arms up into the air", "bring both hands up high", "hold both hands high in the air",
        ),
        loose=("raise the arms", "lift the arms"),
    ),
    "guide": Action(
        phrases=("show the way", "guide someone", "show someone the way", "gesture the way"),
        held_out=("point out the way", "direct someone along"),
        sided=(
            "show the way with the {side} hand", "guide someone with the {side} hand",
            "gesture this way with the {side} hand", "point the way with the {side} hand",
        ),
        held_sided=("direct someone along with the {side} hand", "point out the way with the {side} hand"),
    ),
    "call": Action(
        phrases=(
            "call out to someone", "lean forward and *call out", "call someone", "shout to someone",
            "call out loudly",
        ),
        held_out=("hail someone", "yell to somebody far away"),
    ),
    "respond": Action(
        phrases=("respond", "raise a hand to answer", "answer a call"),
        held_out=("give an answer",),
        sided=(
            "respond by raising the {side} hand", "raise the {side} hand to answer",
            "answer with the {side} hand up", "respond with the {side} hand",
        ),
        held_sided=("reply with the {side} hand raised", "give an answer with the {side} hand"),
    ),
    "greet": Action(
        phrases=("greet someone", "say hello", "make a greeting gesture"),
        held_out=("welcome someone",),
    ),
    "thumbs-up": Action(
        phrases=("give a thumbs up", "show a thumb up"),
        held_out=("signal approval with a thumb",),
    ),
    "clap": Action(
        phrases=("clap", "clap the hands", "applaud", "clap both hands together"),
        held_out=("give applause", "applaud by clapping"),
    ),
    "cheer": Action(
        phrases=("cheer", "celebrate", "cheer with both arms up", "celebrate a victory", "jump for joy"),
        held_out=("rejoice", "cheer in triumph"),
    ),
    "nod": Action(
        phrases=("nod", "nod the head", "nod yes", "agree by nodding"),
        held_out=("give a nod of agreement",),
    ),
    "shake-head": Action(
        phrases=("shake the head", "say no", "refuse", "reject something"),
        held_out=("decline with a gesture",),
    ),
    "talk": Action(
        phrases=("talk", "talk with hand gestures", "speak and *gesture", "chat while standing"),
        held_out=("hold a conversation with gestures",),
    ),
    "confused": Action(
        phrases=("look confused", "be puzzled", "scratch the head in confusion", "gesture in confusion"),
        held_out=("appear bewildered",),
    ),
    "angry-gesture": Action(
        phrases=("show anger", "get angry", "gesture angrily"),
        held_out=("lose one's temper",),
    ),
    "flex": Action(
        phrases=("flex the muscles", "show off the biceps", "flex both arms"),
        held_out=("pose to show the muscles",),
    ),
    "taunt": Action(
        phrases=("taunt the enemy", "provoke an opponent", "taunt"),
        held_out=("mock a rival",),
    ),
    "traffic": Action(
        phrases=(
            "direct traffic", "direct traffic with both arms", "signal to traffic", "give traffic signals",
        ),
        held_out=("regulate the traffic with arm signals",),
    ),
    "referee": Action(
        phrases=(
            "make basketball referee signals", "signal like a basketball referee", "give referee signals",
        ),
        held_out=("officiate a basketball game by gestures",),
    ),
    # Fighting
    "punch": Action(
        phrases=("punch", "throw punches", "punch forward", "box", "hit with the fist"),
        held_out=("strike out with the fist", "land a punch"),
        sided=(
            "punch with the {side} hand", "throw a {side} punch", "punch with the {side} fist",
            "hit with the {side} fist",
        ),
        held_sided=("strike out with the {side} fist", "land a {side} punch"),
    ),
    "slash": Action(
        phrases=(
            "slash with a sword", "swing a sword", "slash", "cut with a sword", "attack with a sword",
            "fight with a sword",
        ),
        held_out=("strike with a blade", "cut the air with a sword"),
    ),
    "chop": Action(
        phrases=("chop down with a weapon", "chop with an axe", "strike downward with a weapon", "chop"),
        held_out=("bring a weapon down in a chop",),
    ),
    "stab": Action(
        phrases=("stab forward", "stab with a blade", "thrust a weapon forward", "stab"),
        held_out=("lunge with a blade",),
    ),
    "spin-attack": Action(
        phrases=("spin around with a weapon", "attack with a spin", "swing a weapon in a full circle"),
        held_out=("whirl around to strike",),
    ),
    "block": Action(
        phrases=("block an attack", "raise a shield to block", "defend", "hold up a guard"),
        held_out=("fend off a blow",),
    ),
    "fight-stance": Action(
        phrases=("stand in a fighting stance", "stand ready to fight", "take a fighting stance"),
        held_out=("keep up a fighting guard",),
    ),
    "kick": Action(
        phrases=("kick", "perform a kick", "kick the air", "kick forward"),
        held_out=("land a kick", "deliver a kick"),
        sided=(
            "kick with the {side} leg", "kick forward with the {side} leg", "kick with the {side} foot",
            "perform a {side} kick", "kick the {side} leg forward", "do a front kick with the {side} leg",
        ),
        held_sided=(
            "deliver a kick with the {side} leg", "swing the {side} foot up in a kick",
            "land a {side} kick",
        ),
    ),
    "karate": Action(
        phrases=(
            "do karate", "practice karate", "perform karate moves", "do martial arts",
            "perform a karate kata", "practice martial arts moves",
        ),
        held_out=("train karate techniques", "show some martial arts"),
    ),
    "fence": Action(
        phrases=("fence", "fence with a sword", "lunge like a fencer"),
        held_out=("duel with a foil",),
    ),
    "shoot": Action(
        phrases=("shoot a gun", "fire a weapon", "aim and *shoot", "shoot"),
        held_out=("fire a shot",),
    ),
    "aim": Action(phrases=("aim a weapon", "take aim", "aim a gun"), held_out=("point a gun at a target",)),
    "reload": Action(
        phrases=("reload a gun", "reload a weapon", "load a gun"),
        held_out=("put a new magazine in a gun",),
    ),
    "archery": Action(
        phrases=("draw a bow and arrow", "shoot an arrow", "aim with a bow and arrow"),
        held_out=("let an arrow fly",),
    ),
    "cast": Action(
        phrases=("cast a spell", "cast magic", "do magic with the hands", "summon magic"),
        held_out=("conjure a spell",),
    ),
    "throw": Action(
        phrases=("throw something", "throw", "throw an object", "toss something forward"),
        held_out=("hurl an object", "fling something away"),
        sided=("throw something with the {side} hand", "throw with the {side} arm"),
        held_sided=("hurl an object with the {side} hand",),
    ),
    "hit": Action(
        phrases=("get hit", "flinch from a blow", "recoil from a hit", "take a hit"),
        held_out=("stagger from an impact",),
    ),
    "die": Action(
        phrases=("fall down dead", "die", "collapse to the ground", "fall to the ground and *die"),
        held_out=("drop dead", "collapse lifeless"),
    ),
}  # fmt: skip
