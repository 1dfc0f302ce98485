"""Styles of the caption grammar: the phrases of each manner of moving, some of them held out of training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """Phrases of one style.

    Attributes:
        label: the phrase that names the style, as in "a person walks <label>".
        adverbs: phrases that stand after the verb; those of one word that end in -ly also stand before it.
        feelings: phrases that follow a comma: "a person walks, feeling angry".
        people: subjects that have the style: "an angry person".
        held_adverbs: adverbs that are never used in training captions.
        held_feelings: likewise of the feelings.
        held_people: likewise of the people.
        no_subjects: subjects that contradict the style ("a man" who walks in a feminine way misleads).
    """

    label: str
    adverbs: tuple[str, ...] = ()
    feelings: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    held_adverbs: tuple[str, ...] = ()
    held_feelings: tuple[str, ...] = ()
    held_people: tuple[str, ...] = ()
    no_subjects: tuple[str, ...] = ()


STYLES: dict[str, Manner] = {
    "normal": Manner(
        label="normally",
        adverbs=("normally", "in a normal way", "in a relaxed, ordinary way", "naturally"),
        held_adverbs=("as usual", "in an ordinary manner"),
    ),
    "active": Manner(
        label="energetically",
        adverbs=(
            "energetically", "actively", "with a lot of energy", "vigorously", "in a lively way",
            "in an active way", "with vigour",
        ),
        feelings=("full of energy", "feeling energetic", "in high spirits"),
        people=("an energetic person", "a lively person", "an active person"),
        held_adverbs=("with great energy", "in an energetic manner", "dynamically"),
        held_feelings=("bursting with energy",),
        held_people=("a very energetic person",),
    ),
    "angry": Manner(
        label="angrily",
        adverbs=(
            "angrily", "in anger", "furiously", "in an angry way", "aggressively", "with rage",
            "in a bad temper",
        ),
        feelings=("feeling angry", "full of anger", "visibly mad"),
        people=("an angry person", "a furious man", "an annoyed person", "an angry man"),
        held_adverbs=("in a rage", "in an angry manner", "with a lot of anger"),
        held_feelings=("boiling with anger",),
        held_people=("an enraged person",),
    ),
    "childish": Manner(
        label="like a child",
        adverbs=(
            "like a child", "childishly", "like a little kid", "in a childlike way", "in a childish way",
            "playfully like a child",
        ),
        feelings=("acting like a child", "being childish"),
        people=("a child", "a little kid", "a small child", "a kid"),
        held_adverbs=("in a childish manner", "as a small child would", "like a toddler"),
        held_people=("a young child",),
        no_subjects=("a man", "a woman"),
    ),
    "chimpira": Manner(
        label="like a thug",
        adverbs=(
            "like a thug", "with a swagger", "like a street punk", "like a gangster",
            "in a cocky, thuggish way", "like a hoodlum", "in a tough, rude way",
        ),
        feelings=("swaggering", "acting like a gangster", "looking for trouble"),
        people=("a thug", "a street punk", "a gangster", "a delinquent"),
        held_adverbs=("like a small-time gangster", "in a swaggering manner", "like a bully"),
        held_people=("a hooligan",),
        no_subjects=("a woman",),
    ),
    "feminine": Manner(
        label="in a feminine way",
        adverbs=(
            "in a feminine way", "like a woman", "gracefully and femininely", "in a ladylike way",
            "like a lady", "femininely",
        ),
        feelings=("being feminine", "acting like a lady"),
        people=("a feminine person", "a graceful woman", "a lady", "a feminine woman"),
        held_adverbs=("in a feminine manner", "with feminine grace"),
        held_feelings=("moving in a ladylike fashion",),
        held_people=("an elegant lady",),
        no_subjects=("a man", "he "),
    ),
    "giant": Manner(
        label="like a giant",
        adverbs=(
            "like a giant", "as if huge and heavy", "heavily like a giant", "like a huge monster",
            "with a giant's slow weight",
        ),
        feelings=("being huge and heavy", "moving like a giant"),
        people=("a giant", "a huge giant", "an enormous heavy person"),
        held_adverbs=("like an enormous creature", "in the manner of a giant", "as a giant would"),
        held_people=("a gigantic person",),
        no_subjects=("a woman",),
    ),
    "happy": Manner(
        label="happily",
        adverbs=("happily", "in a happy way", "cheerfully", "joyfully", "with joy", "in a good mood"),
        feelings=("feeling happy", "full of joy", "in a cheerful mood"),
        people=("a happy person", "a cheerful person", "a happy man", "a joyful person"),
        held_adverbs=("in a cheerful manner", "with a lot of joy", "gladly"),
        held_feelings=("beaming with happiness",),
        held_people=("a very happy person",),
    ),
    "masculine": Manner(
        label="in a masculine way",
        adverbs=(
            "in a masculine way", "like a macho man", "in a manly way", "like a tough man", "manfully",
            "in a macho way",
        ),
        feelings=("being masculine", "acting macho", "being very manly"),
        people=("a masculine man", "a manly man", "a macho man"),
        held_adverbs=("in a masculine manner", "in a very manly fashion"),
        held_feelings=("looking macho",),
        held_people=("a very masculine man",),
        no_subjects=("a woman",),
    ),
    "musical": Manner(
        label="like in a musical",
        adverbs=(
            "like in a musical", "as if in a musical", "rhythmically", "theatrically",
            "to the beat of music", "like a musical actor",
        ),
        feelings=("performing in a musical", "moving to the music"),
        people=("a musical performer", "a musical actor"),
        held_adverbs=(
            "as an actor in a musical would", "in the manner of a stage musical", "with musical rhythm",
        ),
        held_people=("an actor in a musical",),
    ),
    "not-confident": Manner(
        label="without confidence",
        adverbs=(
            "without confidence", "timidly", "nervously", "shyly", "hesitantly", "in an insecure way",
            "with little confidence",
        ),
        feelings=("feeling insecure", "not confident", "feeling unsure", "looking nervous"),
        people=("a shy person", "an insecure person", "a timid person", "a nervous person"),
        held_adverbs=("lacking confidence", "in a timid manner", "with no self-confidence"),
        held_feelings=("full of self-doubt",),
        held_people=("a person who lacks confidence",),
    ),
    "old": Manner(
        label="like an old person",
        adverbs=(
            "like an old person", "like an old man", "as an elderly person would", "like a grandfather",
            "in an elderly way", "slowly with age",
        ),
        feelings=("being old", "weak with age", "stooped with age"),
        people=("an old person", "an elderly person", "an old man", "an elderly man", "a senior"),
        held_adverbs=("like someone very old", "in the manner of an elderly person"),
        held_feelings=("frail with old age",),
        held_people=("an aged person", "a very old person"),
    ),
    "proud": Manner(
        label="proudly",
        adverbs=(
            "proudly", "with pride", "in a proud way", "arrogantly", "with the chest out, full of pride",
            "confidently and proudly",
        ),
        feelings=("feeling proud", "full of pride", "looking proud of himself"),
        people=("a proud person", "a proud man", "an arrogant person"),
        held_adverbs=("in a proud manner", "with a lot of pride"),
        held_feelings=("swollen with pride",),
        held_people=("a very proud person",),
    ),
    "sad": Manner(
        label="sadly",
        adverbs=("sadly", "in sadness", "in a sad way", "sorrowfully", "with sorrow", "gloomily"),
        feelings=("feeling sad", "full of sorrow", "feeling depressed", "looking down"),
        people=("a sad person", "a depressed person", "a sad man", "an unhappy person"),
        held_adverbs=("in a sad manner", "with a lot of sadness", "unhappily"),
        held_feelings=("overcome by sadness",),
        held_people=("a very sad person",),
    ),
    "tired": Manner(
        label="feeling tired",
        adverbs=(
            "tiredly", "in exhaustion", "wearily", "in a tired way", "as if exhausted",
            "with no energy left",
        ),
        feelings=("feeling tired", "exhausted", "completely worn out", "feeling exhausted", "tired"),
        people=("a tired person", "an exhausted person", "a tired man", "a weary person"),
        held_adverbs=("in a tired manner", "with great fatigue", "sluggishly from fatigue"),
        held_feelings=("drained of all energy",),
        held_people=("a worn-out person",),
    ),
    "youthful": Manner(
        label="like a young person",
        adverbs=(
            "like a young person", "youthfully", "in a youthful way", "like a teenager",
            "with youthful ease", "like a youngster",
        ),
        feelings=("being young", "young and fresh"),
        people=("a young person", "a youthful person", "a teenager", "a youngster"),
        held_adverbs=("in a youthful manner", "as a young person would"),
        held_feelings=("full of youth",),
        held_people=("a very young adult",),
    ),
    "zombie": Manner(
        label="like a zombie",
        adverbs=("like a zombie", "as if undead", "like the living dead"),
        people=("a zombie", "the zombie"),
        held_adverbs=("like an undead creature",),
        held_people=("an undead monster",),
    ),
}  # fmt: skip

# Labels of the datasets that have the same phrases as another: their captions are equal, so their labels are made so.
SAME_STYLE = {
    "elderly": "old",
    "exhausted": "tired",
    "masculinity": "masculine",
    "children": "childish",
    "neutral": "normal",
}
