from motiongen import Motion
from motiongen.data.cache import write_cache
from motiongen.evaluation.generation import Batch
from motiongen.evaluation.own_sentences import ContentResult, by_clips, own_sentences
from tests.core.motions import wobble

FACTS = {"source": "mine", "licence": "CC0", "split": "train"}


def test_each_content_is_asked_by_its_commonest_caption_and_told_by_the_nearest_clip(tmp_path):
    slow = wobble(60)
    fast = Motion(slow.skeleton, slow.rotations[::2], slow.root[::2], slow.fps)
    clips = [("slow", ("a person sways", f"somebody sways {i}"), slow) for i in range(2)]
    clips.append(("fast", ("a person shakes",), fast))
    records = [
        (FACTS | {"id": f"mine/{i}", "content": content, "captions": captions}, motion)
        for i, (content, captions, motion) in enumerate(clips)
    ]
    cache = write_cache(tmp_path, records)
    asked = []

    def generate(batches):
        asked.extend(batches)
        return [[cache.features(0) for _ in batch.prompts] for batch in batches]

    results = own_sentences(cache, generate, seeds=2)
    assert asked == [Batch(("a person shakes", "a person sways"), seed) for seed in (0, 1000)]
    assert [(item.content, item.clips, item.hits) for item in results] == [("fast", 1, 0), ("slow", 2, 2)]


def test_contents_are_counted_by_their_clips():
    results = [
        ContentResult("a", "a", 1, ("a", "b")),
        ContentResult("b", "b", 5, ("b", "b")),
        ContentResult("c", "c", 70, ("b", "c")),
    ]
    assert by_clips(results) == {"1-5": (0.75, 2), "50+": (0.5, 1)}
