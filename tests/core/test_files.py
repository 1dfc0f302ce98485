"""Broken files give one line that names them; paths in files lead nowhere else."""

import json
import zlib
from pathlib import Path

import pytest

from motiongen.files import beside, read_json, reading, visible


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a"),
        TypeError("b\nc"),
        IndexError(),
        OverflowError("d"),
        RecursionError(),
        MemoryError(),
        zlib.error("e"),
    ],
)
def test_what_a_broken_file_raises_becomes_one_line_with_its_name(error):
    with (
        pytest.raises(
            ValueError, match=r"^a/clip\.npz: expected a whole NPZ file, got a damaged one"
        ) as caught,
        reading("a/clip.npz", "a whole NPZ file"),
    ):
        raise error
    assert "\n" not in str(caught.value) and caught.value.__cause__ is error


def test_errors_that_say_where_pass_and_others_get_the_name():
    with pytest.raises(ValueError, match=r"^a\.bvh: line 3: expected a number$"), reading("a.bvh", "BVH"):
        raise ValueError("a.bvh: line 3: expected a number")
    with pytest.raises(ValueError, match=r"^a\.bvh: fps: expected"), reading("a.bvh", "BVH"):
        raise ValueError("fps: expected more")
    with pytest.raises(FileNotFoundError), reading("a.bvh", "BVH"):
        Path("/nowhere/at/all").read_bytes()


def test_json_is_an_object_of_a_sane_size(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": 1}), encoding="utf-8-sig")
    assert read_json(path) == {"a": 1}
    for text, message in (
        ("[1]", "expected a JSON object, got list"),
        ("{", "expected JSON"),
        ("[" * 10**5, "a.json"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_json(path)


@pytest.mark.parametrize("name", ["data.bin", "deep/data.bin", "./data.bin", "50% off.bin"])
def test_names_below_the_folder_are_taken(tmp_path, name):
    assert beside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name",
    ["", "/etc/hostname", "../a", "deep/../../a", "..\\a", "C:/a", "C:a", "\\\\host\\a", "a\0b", "%2e%2e/a", "%2Fetc/a",
     "..%5Ca", "file:///etc/hostname", "http://host/a", "%00"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="expected the name of a file in this folder or below"):
        beside(tmp_path, name, is_uri=True)


def test_codes_are_decoded_once_and_only_in_addresses(tmp_path):
    assert beside(tmp_path, "the%20data.bin", is_uri=True) == tmp_path / "the data.bin"
    assert beside(tmp_path, "%252e%252e/a", is_uri=True) == tmp_path / "%2e%2e/a"
    assert beside(tmp_path, "%2e%2e/a") == tmp_path / "%2e%2e/a"


def test_links_may_not_lead_out_but_into_a_folder_that_is_named(tmp_path):
    for folder in ("home", "blobs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own").write_text("x")
    (tmp_path / "home/link").symlink_to(tmp_path / "blobs/own")
    (tmp_path / "home/inside").symlink_to(tmp_path / "home/own")
    assert beside(tmp_path / "home", "inside").read_text() == "x"
    with pytest.raises(ValueError, match="got a link out of it"):
        beside(tmp_path / "home", "link")
    assert beside(tmp_path / "home", "link", tmp_path / "blobs").read_text() == "x"


def test_hidden_files_are_not_visible(tmp_path):
    root = tmp_path / ".home"
    for name in ("b.bvh", ".a.part.bvh", ".set.part/c.bvh", "deep/a.bvh"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    assert visible(root.rglob("*.bvh"), root) == [root / "b.bvh", root / "deep/a.bvh"]
