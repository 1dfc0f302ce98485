"""Preparation: the same cache however the clips are shared out."""

import pytest

from motiongen.engines import ENGINES
from motiongen.io import bvh
from motiongen_datasets.prepare import PART, prepare
from tests.core.motions import wobble


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_workers_and_engines_change_no_byte(engine, tmp_path, request):
    if engine == "ray":
        request.getfixturevalue("two_nodes")
    clips = tmp_path / "clips"
    clips.mkdir()
    for number in range(2 * PART + 1):
        bvh.write(wobble(40 + number if number % 5 else 8, number), clips / f"sway_{number}.bvh")
    told: list[tuple[int, int]] = []
    for name, chosen, workers in (("alone", "local", 1), ("shared", engine, 2)):
        prepare(
            [str(clips)],
            tmp_path / name,
            engine=chosen,
            workers=workers,
            progress=lambda *at: told.append(at),
        )
    alone, shared = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("alone", "shared")
    )
    assert shared == alone and len(alone) == 3
    assert told == [(8, 17), (16, 17), (17, 17)] * 2
