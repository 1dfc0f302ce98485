"""Motions that drive robots, by the API and by the command."""

import json
import os
import sys

import av
import numpy as np
import pytest

from motiongen import load
from motiongen.cli import main
from motiongen.skeleton import SMPL22
from motiongen_bridge.frames import WireFrame
from motiongen_sim import drive
from motiongen_sim.robots import mocap
from motiongen_sim.robots.catalog import lookup
from motiongen_sim.robots.live import StreamRetargeter
from motiongen_sim.robots.retarget import retarget
from tests.bridge.serving import serving
from tests.core.inference.tiny import save_tiny
from tests.sim.test_robots import needs_g1


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "walk.npz"
    mocap.read("walk").save(path)
    return path


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Address of a server that is ten times as fast as life."""
    model = load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")
    with serving(model, speed=10.0) as server:
        yield server.url


@pytest.mark.slow
def test_assisted_humanoid_follows_a_clip(walk):
    report = drive("humanoid", walk)
    assert not report.fell and report.upright == report.seconds == pytest.approx(1.27, abs=0.05)
    assert report.mean_error < 3.0 <= report.peak_error < 30.0 and report.worst_error >= report.mean_error
    assert report.assistance == "root assist 1" and report.source == "walk.npz"


@pytest.mark.slow
def test_unassisted_humanoid_leans_and_falls():
    clip = mocap.read("punch")
    report = drive("humanoid", clip, root_assist=0.0, balance=False)
    assert report.fell and 0.3 < report.upright < report.seconds and report.assistance == "no assistance"


@pytest.mark.slow
def test_the_same_motion_gives_the_same_run(walk):
    one, other = (drive("humanoid", walk, root_assist=0.5) for _ in range(2))
    assert (one.mean_error, one.peak_error, one.upright) == (
        other.mean_error,
        other.peak_error,
        other.upright,
    )


@needs_g1
@pytest.mark.slow
def test_g1_imitates_with_its_upper_body_alone(walk):
    report = drive("g1", walk, upper_body=True)
    assert report.mean_error < 3.0 and report.root_assist == 0.0
    assert report.assistance == "pelvis bolted down (upper body)"
    assert not any("hip" in joint or "knee" in joint for joint in [report.worst_joint, *report.clipping])


@pytest.mark.slow
def test_a_live_stream_drives_it(url):
    # The server's model is small and random: what it dances cannot be followed closely.
    report = drive("humanoid", url, prompt="a person walks", seconds=1.5, seed=3, fixed_base=True)
    assert 1.5 <= report.seconds < 1.7 and report.source == "a person walks (live)"
    assert report.dropped == 0 and report.assistance == "pelvis bolted down (base)"


def test_live_frames_ask_for_what_the_clip_asks_for():
    robot, motion = lookup("humanoid"), mocap.read("walk").retarget(SMPL22)
    clip, _ = retarget(motion, robot)
    goals = StreamRetargeter(robot)
    frames = zip(motion.rotations.numpy(), motion.root.numpy(), strict=True)
    states = [goals.state(WireFrame(1, n, 0, 0, 0, root, turns)) for n, (turns, root) in enumerate(frames)]
    poses = np.array([state.pose for state in states])
    np.testing.assert_allclose(robot.joint_errors(poses, clip.pose), 0.0, atol=1e-4)
    np.testing.assert_allclose([state.root for state in states], clip.root, atol=0.03)


@pytest.mark.skipif("DISPLAY" in os.environ or sys.platform != "linux", reason="there may be a display")
def test_window_without_a_display_is_refused(walk, capsys):
    assert main(["drive", "humanoid", str(walk), "--gui"]) == 1
    assert "gui: expected a display" in capsys.readouterr().err


def test_no_server_is_one_line(capsys):
    assert main(["drive", "humanoid", "ws://127.0.0.1:9"]) == 1
    error = capsys.readouterr().err
    assert "127.0.0.1:9" in error and error.count("\n") == 1


@pytest.mark.slow
def test_command_tells_the_assistance_and_writes_what_is_asked(walk, tmp_path, capsys):
    video, told = tmp_path / "walk.mp4", tmp_path / "walk.json"
    options = ["--root-assist", "0.8", "--seconds", "0.5", "-o", str(video), "--report", str(told)]
    assert main(["drive", "humanoid", str(walk), "--size", "160", "120", *options]) == 0
    said = capsys.readouterr().out
    assert (
        "root assist 0.8" in said
        and "tracking error" in said
        and said.splitlines()[-2:] == [str(video), str(told)]
    )
    report = json.loads(told.read_text())
    assert report["root_assist"] == 0.8 and report["clipping"] == {}
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == round(report["seconds"] * 30) + 1 and frames[0].shape == (120, 160, 3)
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 30  # it moves


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["humanoid", "walk.npz"], "walk.npz: no such file"),
        (["humanoid", "a person walks", "--root-assist", "2"], "root-assist: expected 0"),
        (["humanoid", "  "], "prompt"),
        (["humanoid", "a person walks", "-o", "walk.gif"], "cannot write walk.gif"),
        (["talos", "a person walks"], "talos"),
    ],
)
def test_misuse_is_told_before_any_work(options, message, capsys):
    assert main(["drive", *options]) == 2
    assert message in capsys.readouterr().err
