"""From a stream to a motion."""

import json
from pathlib import Path

import pytest
import torch

from motiongen.rotation import quat_angle
from motiongen.skeleton import SMPL22
from motiongen_bridge.frame_recorder import FrameRecorder, fill
from motiongen_bridge.frames import decode_frame
from tests.bridge.wire import HELLO, frame

BRIDGE = Path(__file__).parents[2] / "bridge"


def test_left_out_frames_lie_between_their_neighbours():
    # A turn of 90 degrees about Y and 3 m along Z, of which frames 11 and 12 were left out.
    half = torch.tensor([0.0, torch.pi / 4])
    turns = torch.stack([half * 0, half.sin(), half * 0, half.cos()], dim=-1)[:, None]  # (2, 1, 4)
    root = torch.tensor([[0.0, 0.9, 0.0], [0.0, 0.9, 3.0]])
    rotations, filled = fill(torch.tensor([10, 13]), turns, root)
    angles = 2 * torch.atan2(rotations[:, 0, 1], rotations[:, 0, 3])
    torch.testing.assert_close(angles.rad2deg(), torch.tensor([0.0, 30, 60, 90]), rtol=0, atol=1e-4)
    torch.testing.assert_close(filled[:, 2], torch.tensor([0.0, 1, 2, 3]), rtol=0, atol=1e-6)


def test_frames_that_came_are_kept_bit_for_bit():
    turns = torch.nn.functional.normalize(
        torch.randn(4, 22, 4, generator=torch.Generator().manual_seed(0)), dim=-1
    )
    root = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    rotations, filled = fill(torch.tensor([3, 4, 7, 8]), turns, root)
    assert torch.equal(rotations[[0, 1, 4, 5]], turns) and torch.equal(filled[[0, 1, 4, 5]], root)


def test_a_recorder_counts_what_it_fills():
    recorder = FrameRecorder(HELLO)
    assert recorder.filled == 0
    for seq in (4, 5, 9):
        recorder.add(frame(seq, z=seq / 10))
    motion = recorder.motion()
    assert (recorder.filled, motion.num_frames, motion.fps) == (3, 6, 30.0)
    torch.testing.assert_close(motion.root[:, 2], torch.arange(4, 10) / 10, rtol=0, atol=1e-6)


def test_another_skeleton_is_not_recorded():
    names = [*SMPL22.names[:-1], "tail"]
    for other in (None, {}, HELLO["skeleton"] | {"names": names}, HELLO["skeleton"] | {"offsets": [[0, 0]]}):
        with pytest.raises(ValueError, match="hello: expected SMPL-22's skeleton, got another"):
            FrameRecorder(HELLO | {"skeleton": other})


def test_the_fixture_of_an_avatar_is_recorded_on_its_skeleton():
    fixture = json.loads((BRIDGE / "fixtures/avatars.json").read_text(encoding="utf-8"))
    recorder = FrameRecorder(HELLO, fixture["answer"]["avatar"])
    recorder.add(decode_frame(bytes.fromhex(fixture["frame"])))
    motion = recorder.motion()
    assert motion.skeleton.names == tuple(fixture["positions"])
    expected = torch.tensor(list(fixture["positions"].values()))
    torch.testing.assert_close(motion.positions()[0], expected, rtol=0, atol=1e-5)
    turns = torch.tensor(list(fixture["rotations"].values()))
    assert float(quat_angle(motion.global_rotations()[0], turns).max()) < 2e-3


def test_an_avatar_without_a_skeleton_is_refused():
    with pytest.raises(ValueError, match=r"avatar: expected a skeleton as of PROTOCOL.md"):
        FrameRecorder(HELLO, {"name": "hero"})
