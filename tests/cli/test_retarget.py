"""`motiongen retarget` and `--character`: the user's own character in every output, mistakes in one line."""

import json
from pathlib import Path

import pytest
import torch

import motiongen_assets
from motiongen import Motion
from motiongen.cli import main
from motiongen.io.gltf_container import GltfReader
from tests.core.figures import Figure, walking

BODY = str(motiongen_assets.path("body/mannequin.glb"))


@pytest.fixture
def walk(tmp_path):
    walking()[:12].save(tmp_path / "walk.npz")
    return str(tmp_path / "walk.npz")


@pytest.fixture
def giant(tmp_path):
    skeleton = Figure(size=1.5, without=("left_foot", "right_foot")).skeleton()
    Motion(skeleton, skeleton.rest_rotations[None], torch.zeros(1, 3), 30.0).save(tmp_path / "giant.bvh")
    return str(tmp_path / "giant.bvh")


def test_each_output_has_the_character(walk, giant, tmp_path, capsys):
    outputs = [str(tmp_path / f"out{extension}") for extension in (".bvh", ".npz", ".glb")]
    words = [word for path in outputs for word in ("-o", path)]
    assert main(["retarget", walk, giant, *words]) == 0
    assert capsys.readouterr().out.split() == outputs
    for path in outputs:
        found = Motion.load(path)
        assert set(found.skeleton.names) == set(Motion.load(giant).skeleton.names) and len(found) == 12
        assert float(found.positions()[..., 1].max()) > 2.0


def test_a_glb_keeps_the_figure(walk, tmp_path):
    out = tmp_path / "out.glb"
    assert main(["convert", walk, str(out), "--character", BODY]) == 0
    for kind in ("meshes", "materials", "skins", "nodes"):
        assert GltfReader(out).items(kind) == GltfReader(BODY).items(kind)
    assert Motion.load(out).num_frames == 12


@pytest.mark.parametrize("verb", ["retarget", "convert"])
def test_the_character_is_not_written_over(walk, tmp_path, error_line, verb):
    own = tmp_path / "own.glb"
    own.write_bytes(Path(BODY).read_bytes())
    words = (
        [walk, str(own), "-o", str(own)] if verb == "retarget" else [walk, str(own), "--character", str(own)]
    )
    assert main([verb, *words]) == 2
    assert "own.glb is the character, which would be lost; give another name" in error_line()
    assert own.read_bytes() == Path(BODY).read_bytes()


def test_a_character_in_place_of_a_clip_is_told_where_it_belongs(tmp_path, error_line):
    (tmp_path / "own.glb").write_bytes(Path(BODY).read_bytes())
    assert main(["info", str(tmp_path / "own.glb")]) == 1
    assert "expected an animation, got none" in (line := error_line()) and "--character" in line


def test_a_file_of_roles_tells_what_names_do_not(walk, tmp_path, error_line):
    roles = {name: f"bone{number}" for number, name in enumerate(Figure().skeleton().names)}
    skeleton = Figure(names=roles).skeleton()
    Motion(skeleton, skeleton.rest_rotations[None], torch.zeros(1, 3), 30.0).save(tmp_path / "me.npz")
    words = ["retarget", walk, str(tmp_path / "me.npz"), "-o", str(tmp_path / "out.npz")]
    assert main(words) == 1
    assert (
        "me.npz: skeleton: expected a humanoid" in (line := error_line())
        and "--character-mapping FILE" in line
    )
    (tmp_path / "roles.json").write_text(json.dumps(roles))
    assert main([*words, "--character-mapping", str(tmp_path / "roles.json"), "--keep-hands"]) == 0
    assert Motion.load(tmp_path / "out.npz").num_frames == 12


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keep-hands"], "expected --character AVATAR with them, got none"),
        (["--character", "gone.glb"], "gone.glb: no such file; check the path"),
    ],
)
def test_mistakes_are_misuse(walk, tmp_path, error_line, words, message):
    assert main(["convert", walk, str(tmp_path / "out.npz"), *words]) == 2
    assert message in error_line()
    assert not (tmp_path / "out.npz").exists()


def test_generate_refuses_two_bodies_and_a_broken_one_before_the_model_is_loaded(tmp_path, error_line):
    words = ["generate", "a person waves", "-o", str(tmp_path / "out.glb"), "--character"]
    assert main([*words, BODY, "--body", BODY]) == 2
    assert "expected one body, got --body and --character" in error_line()
    (tmp_path / "me.vrm").write_bytes(b"nothing")
    assert main([*words, str(tmp_path / "me.vrm")]) == 1
    assert "me.vrm: expected JSON" in error_line()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["generate", "edit"])
def test_words_move_the_character(verb, walk, tmp_path):
    words = {
        "generate": ["a person waves", "--seconds", "2"],
        "edit": [walk, "a person waves", "--after", "0.2"],
    }
    out = tmp_path / "out.glb"
    assert main([verb, *words[verb], "-o", str(out), "--character", BODY]) == 0
    assert GltfReader(out).items("materials") == GltfReader(BODY).items("materials")
    assert Motion.load(out).num_frames > 10
