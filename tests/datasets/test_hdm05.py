"""HDM05: names, rate, and CMU's reader underneath."""

import pytest
import torch

from motiongen.skeleton import SMPL22
from motiongen_datasets import hdm05
from tests.datasets.acclaim import write_clip


def test_clips_are_read_at_a_quarter_of_their_rate(tmp_path):
    write_clip(tmp_path, "HDM_bd_squat1Reps_012_120", [{"lfemur": f"{-n} 0 -20"} for n in range(80)])
    row = "HDM_bd_squat1Reps_012_120,HDM_bd_squat1Reps_012_120.amc,toy.asf,120,0.6,0.056444,a person squats"
    (tmp_path / "clips.csv").write_text(
        f"clip,file,skeleton,source_fps,seconds,unit_to_metres,caption\n{row}\n"
    )
    (clip,) = hdm05.clips(tmp_path)
    assert (clip.id, clip.meta["name"], clip.meta["subject"]) == (
        "hdm05/HDM_bd_squat1Reps_012_120",
        "squat1Reps",
        "bd",
    )
    assert clip.labels.content == "squat"
    motion = clip.load()
    assert (motion.num_frames, motion.fps) == (20, 30.0)
    thigh = (
        motion.positions()[10, SMPL22.index("left_knee")] - motion.positions()[10, SMPL22.index("left_hip")]
    )
    assert torch.atan2(thigh[2], -thigh[1]).rad2deg().item() == pytest.approx(
        40.0, abs=0.01
    )  # frame 40 of the file


@pytest.mark.shared_data
@pytest.mark.slow
def test_a_real_right_hand_goes_to_the_floor(real_dataset):
    clip = next(clip for clip in hdm05.clips(real_dataset("hdm05")) if clip.meta["name"] == "depositFloorR")
    wrists = (
        clip.load().positions()[:, [SMPL22.index("left_wrist"), SMPL22.index("right_wrist")], 1].amin(dim=0)
    )
    assert wrists[1] < 0.35
    assert wrists[1] < wrists[0]
