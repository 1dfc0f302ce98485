import dataclasses
import os
import subprocess
import sys

import pygltflib
import pytest
import torch

from motiongen import Motion
from motiongen.cli import main
from motiongen.io.options import scaled
from tests.core.io.test_real_files import two_people


def test_convert_keeps_the_pose_and_prints_the_file(clip, tmp_path, capsys):
    target = tmp_path / "turn.npz"
    assert main(["convert", str(clip), str(target)]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    before, after = Motion.load(clip), Motion.load(target)
    torch.testing.assert_close(after.positions(), before.positions(), rtol=0, atol=1e-4)


def test_convert_resamples(clip, tmp_path):
    assert main(["convert", str(clip), str(tmp_path / "slow.npz"), "--fps", "15"]) == 0
    assert Motion.load(tmp_path / "slow.npz").fps == 15


def test_convert_reads_the_animation_that_is_named(clip, tmp_path, error_line):
    two, out = tmp_path / "two.glb", tmp_path / "run.npz"
    Motion.load(clip).save(two)
    document = pygltflib.GLTF2().load(str(two))
    document.animations[0].name = "walk"
    document.animations.append(dataclasses.replace(document.animations[0], name="run"))
    document.save(str(two))
    assert main(["convert", str(two), str(out)]) == 1
    assert "got 2; choose with --animation, one of walk, run" in error_line()
    assert main(["convert", str(two), str(out), "--animation", "run"]) == 0
    assert Motion.load(out).num_frames == Motion.load(clip).num_frames
    assert main(["convert", str(two), str(out), "--animation", "fly"]) == 1
    assert "animation: expected one of walk, run, got 'fly'" in error_line()
    assert main(["convert", str(clip), str(out), "--animation", "run"]) == 1
    assert "expected no animation for BVH, which holds one; leave it out" in error_line()


def test_convert_to_unknown_extension_lists_the_known(clip, tmp_path, error_line):
    assert main(["convert", str(clip), str(tmp_path / "turn.xyz")]) == 2
    assert ".bvh" in error_line()


def test_convert_into_missing_folder_is_refused(clip, tmp_path, error_line):
    assert main(["convert", str(clip), str(tmp_path / "nowhere" / "turn.npz")]) == 2
    assert "nowhere does not exist" in error_line()


def test_missing_input_is_named(tmp_path, error_line):
    assert main(["convert", str(tmp_path / "gone.bvh"), str(tmp_path / "x.npz")]) == 2
    assert "gone.bvh: no such file" in error_line()


def test_broken_bvh_is_one_line_and_writes_nothing(clip, tmp_path, error_line):
    text = clip.read_text().splitlines()
    text[-1] = text[-1].replace(text[-1].split()[0], "nan", 1)
    clip.write_text("\n".join(text) + "\n")
    assert main(["convert", str(clip), str(tmp_path / "turn.npz")]) == 1
    assert "turn.bvh" in error_line()
    assert os.listdir(tmp_path) == ["turn.bvh"]


# Lets no file grow past 4 KB, as a disk that fills up while it is written to; in a process of its own, for a test
# runner writes files, too.
SMALL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from motiongen.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_full_disk_is_one_line_and_leaves_nothing(clip, tmp_path):
    command = [sys.executable, "-c", SMALL_DISK, "convert", str(clip), str(tmp_path / "copy.bvh")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("motiongen: error: ") and "too large" in done.stderr
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["turn.bvh"]


def test_a_guess_is_said_and_an_option_taken_in_its_place(clip, tmp_path, capsys):
    small = Motion.load(clip)
    scaled(small, 0.9).save(tmp_path / "small.bvh")
    assert main(["convert", str(tmp_path / "small.bvh"), str(tmp_path / "a.npz")]) == 0
    assert "small.bvh: taken as unit cm, y up; --unit and --up say otherwise" in capsys.readouterr().err
    command = ["convert", str(tmp_path / "small.bvh"), str(tmp_path / "b.npz"), "--unit", "inch", "--up", "y"]
    assert main(command) == 0
    assert capsys.readouterr().err == ""
    torch.testing.assert_close(
        Motion.load(tmp_path / "b.npz").skeleton.offsets,
        small.skeleton.offsets * 0.9 * 2.54,
        rtol=1e-4,
        atol=1e-5,
    )


def test_all_animations_go_into_files_of_their_own(clip, tmp_path, capsys):
    two_people(tmp_path / "two.glb")
    assert main(["convert", str(tmp_path / "two.glb"), str(tmp_path / "out.npz"), "--animation", "all"]) == 0
    said = capsys.readouterr()
    assert said.out.split() == [str(tmp_path / "out-turn0.npz"), str(tmp_path / "out-turn1.npz")]
    assert "--character-index" in said.err
    assert Motion.load(tmp_path / "out-turn1.npz").skeleton.names[0] == "pelvis.001"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--unit", "ell"], "unit: expected mm, cm, inch, dm, m or metres"),
        (["--up", "x"], "up: expected y or z"),
        (["--fps", "0"], "fps: expected 0 < fps"),
        (["--mapping", "none.json"], "none.json: no such file"),
    ],
)
def test_an_option_that_cannot_be_is_misuse(clip, tmp_path, error_line, option, message):
    assert main(["convert", str(clip), str(tmp_path / "x.npz"), *option]) == 2
    assert message in error_line()
