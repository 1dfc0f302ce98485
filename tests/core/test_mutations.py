"""Mutated files of every format: sane contents, or one line that names the file, in time and in little memory."""

import pytest

from benchmarks.fuzz import KINDS, run
from benchmarks.fuzz_formats import SAMPLES


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SAMPLES)
def test_mutated_files_are_sane_or_refused_in_one_line(name, tmp_path):
    counts, faults = run(SAMPLES[name], tmp_path, range(300))
    assert counts["tried"] == 300 and counts["refused"] > 0, counts
    assert not any(counts[kind] for kind in KINDS), "\n".join(faults)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name == "training state")) for name in SAMPLES],
)
def test_samples_are_read_as_they_are(name, tmp_path):
    sample = SAMPLES[name]
    assert sample.make(tmp_path)
    assert sample.nonsense(sample.read(tmp_path)) == ""
