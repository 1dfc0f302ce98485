"""Animation packs: the manifest's traps, feet of inverse kinematics, loops that travel."""

import json
import pickle

import pytest
import torch

from motiongen.io import gltf
from motiongen.motion import Motion
from motiongen.retargeting import position_error, retarget
from motiongen.rotation import quat_angle, quat_from_axis_angle, quat_identity
from motiongen.skeleton import SMPL22, Skeleton
from motiongen_datasets import animation_fixes, cc0
from motiongen_datasets.captions import captions_for
from tests.core.motions import t_pose, wobble
from tests.datasets.folders import animation


@pytest.fixture
def packs(tmp_path):
    def make(*animations, file="pack/walker.glb"):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        gltf.write(wobble(20), path, name=animations[0]["name"])
        table = [{"file": file, "source": "pack", "licence": "CC0-1.0", "animations": list(animations)}]
        (tmp_path / "manifest.json").write_text(json.dumps(table))
        return tmp_path

    return make


def treadmill(speed=1.2, frames=31):
    """One leg over a belt: the root stays, the left foot goes back at `speed`, the right one is lifted."""
    motion = t_pose(frames)
    time = torch.arange(frames) / motion.fps
    rotations = motion.rotations.clone()
    angle = torch.atan2(speed * (time - time.mean()), torch.tensor(0.87))
    rotations[:, SMPL22.index("left_hip")] = quat_from_axis_angle(
        torch.stack([angle, 0 * angle, 0 * angle], -1)
    )
    rotations[:, SMPL22.index("right_hip")] = quat_from_axis_angle(torch.tensor([-1.5, 0.0, 0.0]))
    return Motion(SMPL22, rotations, motion.root, motion.fps)


def test_clips_load_on_smpl22_at_30_fps_and_survive_pickling(packs):
    (clip,) = cc0.clips(packs(animation("Punch_Jab")))
    motion = pickle.loads(pickle.dumps(clip)).load()
    assert (clip.id, clip.licence, clip.meta["name"]) == ("cc0/walker/Punch_Jab", "CC0-1.0", "Punch_Jab")
    assert motion.skeleton is SMPL22
    assert motion.fps == 30.0
    torch.testing.assert_close(motion.root[0, [0, 2]], torch.zeros(2), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (animation("Aim", static_pose=True), "a pose, not a motion"),
        (animation("Blink", duration_s=0.2), "too short"),
        (animation("EXPERIMENTAL_Transform"), "a change of shape"),
        (animation("Copy", duplicate_of="pack/walker.glb#Wave"), "the same as another"),
    ],
)
def test_what_is_left_out_is_counted_with_its_reason(packs, caplog, item, reason):
    caplog.set_level("INFO")
    clips = cc0.clips(packs(animation("Wave"), item))
    assert [clip.meta["name"] for clip in clips] == ["Wave"]
    assert f"1 animations left out: {reason}" in caplog.text


def test_a_twin_that_travels_takes_the_place_of_the_loop(packs):
    twin = animation("Crawl RM", root="travels", duplicate_of="pack/walker.glb#Crawl")
    clips = cc0.clips(packs(animation("Crawl"), twin))
    assert [(clip.meta["name"], clip.load.keywords["moves"]) for clip in clips] == [("Crawl RM", False)]


@pytest.mark.parametrize(
    ("name", "moves", "loops"),
    [
        ("Walk_Loop", True, True),
        ("Idle_Loop", False, True),
        ("Punch_Jab", False, False),
        ("Man_RunningJump", False, False),
    ],
)
def test_locomotion_travels_and_only_cycles_repeat(packs, name, moves, loops):
    (clip,) = cc0.clips(packs(animation(name)))
    assert clip.load.keywords == {"moves": moves, "loops": loops}


def test_a_loop_plays_on_from_where_it_ended():
    loop = wobble(31)
    loop = Motion(SMPL22, torch.cat([loop.rotations[:-1], loop.rotations[:1]]), loop.root, 30.0)
    played = animation_fixes.repeated(loop, 3.0)
    assert played.num_frames == 91
    torch.testing.assert_close(played.rotations[30:60], loop.rotations[:30])
    stride = (loop.root[-1] - loop.root[0]) * torch.tensor([1.0, 0.0, 1.0])
    torch.testing.assert_close(played.root[60] - played.root[0], 2 * stride)


def test_the_treadmill_is_taken_away_at_the_speed_of_the_standing_foot():
    speed = animation_fixes.standing_velocity(treadmill(1.2))
    assert speed[2].item() == pytest.approx(-1.2, rel=0.15)
    walked = animation_fixes.travelling(treadmill(1.2))
    assert (walked.root[-1] - walked.root[0])[2].item() == pytest.approx(1.2, rel=0.15)


def test_a_foot_that_hangs_from_the_root_is_hung_onto_the_shin():
    names, parents = ("Bone", "UpperLeg.L", "LowerLeg.L", "Foot.L"), (-1, 0, 1, 0)
    offsets = torch.tensor([[0.0, 0, 0], [0.1, 1.0, 0], [0, -0.5, 0], [0.1, 0.0, 0.0]])
    rest = quat_identity(4)
    rest[3] = quat_from_axis_angle(torch.tensor([0.4, 0.0, 0.0]))
    old = Skeleton(names, parents, offsets, rest=rest)
    turns = rest.repeat(5, 1, 1)
    turns[:, 1] = quat_from_axis_angle(torch.tensor([-0.7, 0.0, 0.0]))
    motion = Motion(old, turns, torch.zeros(5, 3), 30.0)
    hung = animation_fixes.reparented(motion, "Foot.L", "LowerLeg.L")
    assert hung.skeleton.parents == (-1, 0, 1, 2)
    shin = hung.positions()[:, 3] - hung.positions()[:, 2]
    torch.testing.assert_close(shin.norm(dim=-1), torch.full((5,), 0.5))
    assert quat_angle(hung.global_rotations()[:, 3], motion.global_rotations()[:, 3]).max() < 1e-3


def test_frames_of_calibration_are_counted_from_the_start():
    arms_down = t_pose(10)
    turns = arms_down.rotations.clone()
    turns[:, SMPL22.index("left_shoulder")] = quat_from_axis_angle(torch.tensor([0.0, 0.0, -1.3]))
    turns[:, SMPL22.index("right_shoulder")] = quat_from_axis_angle(torch.tensor([0.0, 0.0, 1.3]))
    motion = Motion(SMPL22, torch.cat([t_pose(7).rotations, turns]), arms_down.root[:1].expand(17, 3), 30.0)
    assert animation_fixes.calibration_frames(motion) == 7
    assert animation_fixes.calibration_frames(t_pose(7)) == 0  # a T-pose throughout is kept as it is


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"manifest\.json: expected JSON, got .*; is it the packs' manifest"),
        ('{"name": "page"}', r"manifest\.json: expected a list of files with animations"),
    ],
)
def test_another_manifest_is_one_clear_line(tmp_path, text, message):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        cc0.clips(tmp_path)


@pytest.mark.shared_data
def test_every_real_clip_has_a_name_that_the_grammar_knows(shared_data):
    clips = cc0.clips(shared_data / "cc0")
    assert len(clips) > 240
    assert len({clip.id for clip in clips}) == len(clips)
    assert all(captions_for(clip.labels).train for clip in clips)


@pytest.mark.shared_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "name", "millimetres"),
    [
        ("Animated_Woman", "Walking", 60),
        ("human-base-animations_91abd9b", "Walk_Loop", 70),
        ("Male_Casual", "Man_Walk", 110),
    ],
)
def test_real_joints_land_near_the_source(shared_data, file, name, millimetres):
    clip = next(c for c in cc0.clips(shared_data / "cc0") if c.id == f"cc0/{file}/{name}")
    source = cc0.load_source(*clip.load.args)
    mapping = cc0.mapping_of(source.skeleton)
    error = position_error(source, retarget(source, mapping=mapping), mapping)
    assert error.mean().item() * 1000 < millimetres


@pytest.mark.shared_data
@pytest.mark.slow
def test_a_real_walk_in_place_goes_forward_on_steady_feet(shared_data):
    clip = next(c for c in cc0.clips(shared_data / "cc0") if c.meta["name"] == "Walk_Loop")
    motion = clip.load()
    assert motion.seconds >= 3.0
    assert 0.7 < (motion.root[-1, 2] / motion.seconds).item() < 1.5
    contacts = motion.contacts()
    feet = motion.positions()[
        :, [SMPL22.index(n) for n in ("left_ankle", "left_foot", "right_ankle", "right_foot")]
    ]
    speed = (feet[1:] - feet[:-1])[..., [0, 2]].norm(dim=-1) * motion.fps
    assert contacts.any(1).float().mean() > 0.9
    assert speed[contacts[1:]].mean() < 0.15
