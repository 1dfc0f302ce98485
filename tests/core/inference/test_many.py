"""Many sentences into a folder: the same bytes however the work is shared out, and what is there stays."""

import json
from pathlib import Path

import pytest

from motiongen import generate
from motiongen.engines import ENGINES
from motiongen.inference.many import generate_many
from motiongen.version import __version__
from tests.core.inference.tiny import save_tiny

PROMPTS = ["a person walks", "a person bows, then walks", "an old person, walking"]


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """Of a tiny model."""
    weights = save_tiny(tmp_path_factory.mktemp("weights"))
    return {"weights": str(weights), "device": "cpu", "seconds": 1.0}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def alone(options, tmp_path_factory):
    """What one process makes."""
    folder = tmp_path_factory.mktemp("alone")
    generate_many(PROMPTS, folder, count=2, seed=5, workers=1, **options)
    return contents(folder)


def test_each_clip_is_that_of_generate_with_a_seed_of_its_own(alone, options, tmp_path):
    names = ["00001-1.bvh", "00001-2.bvh", "00002-1.bvh", "00002-2.bvh", "00003-1.bvh", "00003-2.bvh"]
    assert list(alone) == [*names, "captions.csv", "generated.json"]
    generate(PROMPTS[1], seed=7, **options).save(tmp_path / "00002-1.bvh")
    assert alone["00002-1.bvh"] == (tmp_path / "00002-1.bvh").read_bytes()
    assert alone["captions.csv"].decode().splitlines()[:2] == ["file,caption", "00001-1.bvh,a person walks"]
    assert b'00003-2.bvh,"an old person, walking"' in alone["captions.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_workers_and_engines_change_no_byte(engine, alone, options, tmp_path, request):
    if engine == "ray":
        request.getfixturevalue("two_nodes")
    told = []
    generate_many(
        PROMPTS,
        tmp_path,
        count=2,
        seed=5,
        engine=engine,
        workers=2,
        on_progress=lambda *at: told.append(at),
        **options,
    )
    assert contents(tmp_path) == alone and told == [(2, 6), (4, 6), (6, 6)]


def test_a_run_that_was_stopped_goes_on_with_what_is_missing(alone, options, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_many(PROMPTS, tmp_path, count=2, seed=5, workers=1, on_progress=stop, **options)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "00001-1.bvh",
        "00001-2.bvh",
        "generated.json",
    ]
    (tmp_path / "00001-2.bvh").write_text("it stays")
    told = []
    generate_many(
        PROMPTS, tmp_path, count=2, seed=5, workers=1, on_progress=lambda *at: told.append(at), **options
    )
    assert told == [(4, 6), (6, 6)]
    assert contents(tmp_path) == alone | {"00001-2.bvh": b"it stays"}
    more = generate_many([*PROMPTS, "a person bows"], tmp_path, count=2, seed=5, workers=1, **options)
    assert len(more) == 8 and all(path.is_file() for path in more)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"seed": 1},
            "expected clips with seed 1, got some with 0; give another folder, or the same options",
        ),
        ({"prompts": PROMPTS[:2]}, "expected the 3 sentences whose clips it holds to come first, got others"),
        (
            {"prompts": PROMPTS[::-1]},
            "expected the 3 sentences whose clips it holds to come first, got others",
        ),
        ({"prompts": ["a person walks", "..."]}, "line 2: prompt: expected words, got '...'"),
        ({"file_format": "mp4"}, "format: expected one of bvh .*, got 'mp4'"),
        ({"count": 0}, "count: expected 1 to 1000 variants, got 0"),
        ({"prompts": []}, "prompts: expected a sentence, got none"),
    ],
    ids=str,
)
def test_mistakes_and_other_clips_are_refused_before_any_work(changed, told, tmp_path):
    facts = {"format": "bvh", "count": "1", "seed": "0", "version": __version__}
    record = {"options": facts, "prompts": PROMPTS}
    (tmp_path / "generated.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=told):
        generate_many(**{"prompts": PROMPTS, "folder": tmp_path, "workers": 1, **changed})
    assert [path.name for path in tmp_path.iterdir()] == ["generated.json"]
