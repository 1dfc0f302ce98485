"""Tables as programs write them, hidden files, and paths that lead elsewhere."""

import pytest

from motiongen.io import bvh
from motiongen_datasets import bvh_folder
from motiongen_datasets.clip_table import read_rows, read_table
from motiongen_datasets.prepare import prepare
from tests.core.motions import wobble

ROWS = [("file", "caption"), ("walk.bvh", "a woman walks to the café"), ("run.bvh", "she runs, then stops")]


def text(separator):
    return "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in ROWS) + "\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_captions_are_read_as_excel_writes_them(tmp_path, encoding, separator):
    (tmp_path / "captions.csv").write_bytes(text(separator).encode(encoding))
    for name in ("walk.bvh", "run.bvh"):
        bvh.write(wobble(8), tmp_path / name)
    found = {clip.id: clip.labels.sentences for clip in bvh_folder.clips(tmp_path)}
    assert found == {"bvh_folder/run": (ROWS[2][1],), "bvh_folder/walk": (ROWS[1][1],)}


@pytest.mark.parametrize(
    "data", [b"file,caption\n\x81\x8d,a", b"\xff\xfef\x00i", b"file,caption\n\x00,a", b"PK\x03\x04"]
)
def test_what_is_no_table_is_named(tmp_path, data):
    (tmp_path / "captions.csv").write_bytes(data)
    with pytest.raises(ValueError, match=r"captions\.csv: ") as caught:
        bvh_folder.clips(tmp_path)
    assert "\n" not in str(caught.value)


def test_short_rows_are_filled_and_long_ones_cut(tmp_path):
    (tmp_path / "a.csv").write_text("file,caption\nwalk\nrun,fast,and more\n")
    rows = [{"file": "walk", "caption": ""}, {"file": "run", "caption": "fast"}]
    assert read_table(tmp_path / "a.csv") == (["file", "caption"], rows)


@pytest.mark.parametrize("file", ["../walk.bvh", "/etc/hostname", "C:/walk.bvh"])
def test_clips_lie_below_their_table(tmp_path, file):
    (tmp_path / "clips.csv").write_text(f"file,skeleton\n{file},\n")
    with pytest.raises(ValueError, match=r"clips\.csv: .*expected the name of a file in this folder"):
        read_rows(tmp_path, frozenset({"file"}))


def test_what_a_kill_left_over_is_no_clip(tmp_path):
    bvh.write(wobble(40), tmp_path / "walk.bvh")
    (tmp_path / ".walk.part.bvh").write_bytes((tmp_path / "walk.bvh").read_bytes())
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash/old.bvh").write_text("HIERARCHY")
    assert [clip.id for clip in bvh_folder.clips(tmp_path)] == ["bvh_folder/walk"]


def test_preparation_survives_any_clip_and_keeps_the_old_cache_when_none_is_left(tmp_path):
    source, out = tmp_path / "source", tmp_path / "cache"
    source.mkdir()
    bvh.write(wobble(90), source / "walk.bvh")
    slow = (source / "walk.bvh").read_text().replace("Frame Time: 0.0333333333", "Frame Time: 900")
    (source / "slow.bvh").write_text(slow)
    (source / "cut.bvh").write_text(slow[:500])
    cache = prepare([f"bvh_folder={source}"], out, workers=1)
    assert [record.id for record in cache.records] == ["bvh_folder/walk"]
    assert sum(cache.info["skipped"].values()) == 2
    (source / "walk.bvh").write_text("")
    with pytest.raises(ValueError, match="expected clips that can be read, got none of 3"):
        prepare([f"bvh_folder={source}"], out, workers=1)
    assert cache.motion(0).num_frames == 90 and len(list(out.iterdir())) == 3


@pytest.mark.parametrize("rate", ["fast", "nan", "0", "-30", ""])
def test_numbers_of_a_table_are_checked_by_row(tmp_path, rate):
    (tmp_path / "clips.csv").write_text(f"file,fps\na.bvh,30\nb.bvh,{rate}\n")
    with pytest.raises(
        ValueError, match=rf"clips\.csv: row 3: fps: expected a positive number, got '{rate}'"
    ):
        read_rows(tmp_path, frozenset({"file"}))
