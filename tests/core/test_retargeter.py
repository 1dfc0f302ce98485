"""The Retargeter: bits that chunks do not change, feet that stand, bones that keep their length, bad characters."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motiongen.evaluation.foot_skate import foot_skate_speed
from motiongen.humanoid import humanoid_map
from motiongen.motion import Motion
from motiongen.retargeting import Body, Character, Retargeter, find_t_pose, leg_length, retarget
from motiongen.retargeting.soles import SMPL_LEG
from motiongen.rotation import quat_angle, quat_from_axis_angle, quat_inverse, quat_multiply, quat_rotate
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.figures import RIGS, Figure, swaying_on_its_feet, walking
from tests.core.motions import wobble
from tests.core.test_humanoid import figure as rig_figure

FIGURES = {
    "as SMPL": Figure(),
    "child": Figure(size=0.6, thigh=0.9),
    "giant, long thighs": Figure(size=2.0, thigh=1.15, hips=1.3),
    "A-pose": Figure(droop=0.8, arms=1.2, axes=1),
    "no toes": Figure(without=("left_foot", "right_foot"), thigh=1.1),
    "no neck, chest or collars": Figure(
        without=("neck", "spine2", "spine3", "left_collar", "right_collar"), hips=0.8
    ),
    "twist bones": Figure(twists=True, droop=0.5, thigh=0.9, axes=2),
    "root on the floor": Figure(root=True, size=1.2, thigh=1.1, axes=3),
    "long feet": Figure(feet=1.5, thigh=0.85),
    "non-ASCII names": Figure(
        names={"pelvis": "下半身", "spine1": "上半身", "head": "頭", "neck": "首"}, axes=4
    ),
}
SIDES = ("left", "right")


@pytest.fixture(params=FIGURES.values(), ids=FIGURES)
def body(request) -> Body:
    return Body.of(request.param.skeleton())


def soles(motion: Motion, body: Body) -> torch.Tensor:
    """Heels and balls (T, 4, 3) of a character, in its own size."""
    turns, places = motion.global_rotations(), motion.positions()
    points = []
    for sole in body.soles(has_toes="left_foot" in body.mapping):
        points.append(places[:, sole.ankle] + quat_rotate(turns[:, sole.ankle], sole.heel))
        points.append(places[:, sole.toes] + quat_rotate(turns[:, sole.toes], sole.ball))
    return torch.stack(points, 1)


def moved(motion, target, chunks, **options):
    tool = Retargeter(motion.skeleton, target, fps=motion.fps, **options)
    rotations, root = motion.numpy()
    state, parts, start = tool.init_state(), [], 0
    for count in chunks:
        parts.append(tool.step(rotations[start : start + count], root[start : start + count], state))
        start += count
    assert start == len(motion)
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


@pytest.mark.parametrize(
    "chunks", [[1] * 60, [7, 1, 30, 22], [59, 1]], ids=["one by one", "uneven", "59 and 1"]
)
@pytest.mark.parametrize("keep_hands", [False, True])
def test_chunks_do_not_change_a_bit(chunks, keep_hands):
    motion, target = walking()[:60], FIGURES["root on the floor"].skeleton()
    whole = moved(motion, target, [60], keep_hands=keep_hands)
    for one, other in zip(moved(motion, target, chunks, keep_hands=keep_hands), whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_future_does_not_change_the_past():
    motion, target = walking()[:60], FIGURES["child"].skeleton()
    other = Motion(SMPL22, torch.cat([motion.rotations[:40], wobble(20).rotations]), motion.root, motion.fps)
    for one, two in zip(moved(motion, target, [60]), moved(other, target, [60]), strict=True):
        np.testing.assert_array_equal(one[:40], two[:40])


def test_a_character_is_the_same_alone_and_among_others():
    clips = [walking()[:24], swaying_on_its_feet(24), wobble(24)]
    tool = Retargeter(SMPL22, FIGURES["A-pose"].skeleton(), fps=30.0)
    state = tool.init_state(3)
    rotations, root = (np.stack([clip.numpy()[i] for clip in clips]) for i in range(2))
    first = tool.step(rotations[:, :9], root[:, :9], state)
    second = tool.step(rotations[:, 9:], root[:, 9:], state)
    for number, clip in enumerate(clips):
        alone = tool.step(*clip.numpy(), tool.init_state())
        for parts, whole in zip(zip(first, second, strict=True), alone, strict=True):
            np.testing.assert_array_equal(np.concatenate(parts, axis=1)[number], whole)


def test_other_shapes_are_refused():
    tool = Retargeter(SMPL22, SMPL22, fps=30.0)
    rotations, root = wobble(4).numpy()
    for wrong in ((rotations[:, :21], root), (rotations, root[:3]), (rotations[:0], root[:0])):
        with pytest.raises(ValueError, match=r"^frames: expected rotations \(B, T, 22, 4\)"):
            tool.step(*wrong, tool.init_state())
    with pytest.raises(ValueError, match="of 2 characters"):
        tool.step(rotations, root, tool.init_state(2))


def test_feet_that_stand_stay_where_they_stand(body):
    motion = swaying_on_its_feet()
    planted = soles(retarget(motion, body.skeleton), body)
    size = body.leg / SMPL_LEG
    assert float((planted - planted[:1])[..., [0, 2]].norm(dim=-1).max()) < 2e-3 * size
    assert float(planted[..., 1].abs().max()) < 3e-3 * size  # flat on the floor: heels and balls


def test_a_walk_slides_no_more_than_its_source(body):
    motion, source = walking(), Body.of(SMPL22)
    own = foot_skate_speed(soles(motion, source), motion.fps)
    theirs = soles(retarget(motion, body.skeleton), body) * (SMPL_LEG / body.leg)
    assert float(foot_skate_speed(theirs, motion.fps)) < 1.1 * float(own) + 5e-3
    assert float(theirs[..., 1].min()) > -0.01


def test_rotations_alone_let_them_slide():
    """What is tested above is no matter of course."""
    body = Body.of(FIGURES["giant, long thighs"].skeleton())
    plain = soles(retarget(swaying_on_its_feet(), body.skeleton, plant_feet=False), body)
    assert float((plain - plain[:1])[..., [0, 2]].norm(dim=-1).max()) > 0.02


def test_nothing_jumps(body):
    """A correction that sets in or ends at once would show as acceleration."""
    motion = walking()
    ankles = [body.index(f"{side}_ankle") for side in SIDES]
    knees = [body.index(f"{side}_knee") for side in SIDES]
    for joints, parts in ((ankles, (7, 8)), (knees, (4, 5))):
        path = retarget(motion, body.skeleton).positions()[:, joints] * (SMPL_LEG / body.leg)
        own = motion.positions()[:, list(parts)]
        jerks = [each.diff(n=2, dim=0).norm(dim=-1).max() for each in (path, own)]
        assert float(jerks[0]) < 2.0 * float(jerks[1]) + 0.01


def test_bones_keep_their_length_and_forearms_their_twist(body):
    motion = walking()
    found = retarget(motion, body.skeleton, keep_hands=True)
    skeleton = body.skeleton
    assert found.translations is None
    bones = found.positions()[:, 1:] - found.positions()[:, list(skeleton.parents[1:])]
    assert_close(
        bones.norm(dim=-1), skeleton.offsets[1:].norm(dim=-1).expand(len(motion), -1), atol=1e-4, rtol=0
    )
    found = retarget(motion, body.skeleton)
    t_pose, _ = skeleton.fk(body.t_pose, torch.zeros(3))
    for side in SIDES:
        elbow = body.index(f"{side}_elbow")
        turn = quat_multiply(found.global_rotations()[:, elbow], quat_inverse(t_pose[elbow]))
        assert (
            float(quat_angle(turn, motion.global_rotations()[:, SMPL22.index(f"{side}_elbow")]).max()) < 2e-3
        )


def test_joints_without_a_part_stay_as_they_rest():
    body = Body.of(FIGURES["twist bones"].skeleton())
    found = retarget(walking(), body.skeleton)
    twist = body.skeleton.index("left_forearm_twist")
    assert_close(
        found.rotations[:, twist], body.skeleton.rest[twist].expand(len(found), 4), atol=1e-6, rtol=0
    )


def test_twist_bones_share_the_turn_of_the_hand():
    motion = swaying_on_its_feet(3)
    turned = motion.rotations.clone()
    wrist = SMPL22.index("left_wrist")
    turned[:, wrist] = quat_from_axis_angle(torch.tensor([1.2, 0.0, 0.0]))  # about the forearm, along +x
    motion = Motion(SMPL22, turned, motion.root, motion.fps)
    body = Body.of(FIGURES["twist bones"].skeleton())
    found = retarget(motion, body.skeleton)
    t_pose, _ = body.skeleton.fk(body.t_pose, torch.zeros(3))
    from_t = quat_multiply(found.global_rotations(), quat_inverse(t_pose))
    elbow, twist, hand = (
        from_t[:, body.skeleton.index(f"left_{part}")] for part in ("elbow", "forearm_twist", "wrist")
    )
    assert_close(quat_angle(elbow, hand), torch.full((3,), 1.2), atol=2e-3, rtol=0)
    assert_close(quat_angle(elbow, twist), torch.full((3,), 0.6), atol=2e-3, rtol=0)
    assert_close(quat_angle(twist, hand), torch.full((3,), 0.6), atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", [name for name, rig in RIGS.items() if "left_ankle" in rig["roles"]])
def test_the_rigs_of_other_tools_stand(name):
    body = Body.of(rig_figure(RIGS[name]))
    motion = swaying_on_its_feet(30)
    found = retarget(motion, body.skeleton)
    path = soles(found, body)
    assert float((path - path[:1])[..., [0, 2]].norm(dim=-1).max()) < 5e-3


def test_hands_that_clap_clap_on_longer_arms():
    frames = 5
    bends = torch.zeros(frames, 22, 3)
    bends[:, 16], bends[:, 17] = torch.tensor([0.0, -1.2, -0.6]), torch.tensor([0.0, 1.2, 0.6])
    swing = torch.linspace(1.3, 1.7, frames)
    bends[:, 18, 1], bends[:, 19, 1] = -swing, swing
    root = torch.tensor([0.0, 0.97, 0.0]).expand(frames, 3)
    motion = Motion(SMPL22, quat_from_axis_angle(bends), root, 30.0)

    def apart(moved: Motion) -> torch.Tensor:
        left, right = (moved.positions()[:, SMPL22.index(f"{side}_wrist")] for side in SIDES)
        return (left - right).norm(dim=-1)

    target = Figure(arms=1.3).skeleton()
    own = apart(motion)
    assert float(own.max()) < 0.25 and float(own.min()) < 0.6 * float(own.max())
    assert float((apart(retarget(motion, target)) / own - 1.3).abs().max()) > 0.3
    assert_close(apart(retarget(motion, target, keep_hands=True)), 1.3 * own, atol=0.01, rtol=0.03)


@pytest.mark.parametrize(
    "turn",
    [(0.0, torch.pi, 0.0), (-torch.pi / 2, 0.0, 0.0)],
    ids=["faces back, as a VRM 0.x", "lies along z"],
)
def test_a_character_that_rests_another_way_moves_the_same(turn):
    plain = FIGURES["root on the floor"].skeleton()
    rest = plain.rest_rotations.clone()
    rest[0] = quat_multiply(quat_from_axis_angle(torch.tensor(turn)), rest[0])
    turned = Skeleton(plain.names, plain.parents, plain.offsets, rest)
    pelvis = plain.index("pelvis")
    ours, theirs = (retarget(walking(), target).positions()[:, pelvis:] for target in (turned, plain))
    assert_close(ours, theirs, atol=2e-4, rtol=0)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["human-male", "human-female"])
def test_real_clips_stand_on_real_characters(shared_data, name):
    path = shared_data / "characters" / f"{name}.glb"
    clips = shared_data / "bandai_namco/dataset-1/data"
    if not path.is_file() or not clips.is_dir():
        pytest.skip(f"needs {path} and {clips}")
    character = Character.load(path)
    for clip in ("walk_normal_001", "kick_normal_001"):
        motion = Motion.load(clips / f"dataset-1_{clip}.bvh")[:300]
        mapping = humanoid_map(motion.skeleton)
        source = Body.of(motion.skeleton, mapping, find_t_pose(motion.skeleton, mapping, motion))
        floor = Retargeter(source, source, fps=motion.fps).find_floor(*motion.numpy(), motion.translations)
        own = foot_skate_speed(
            (soles(motion, source) - torch.tensor([0.0, floor, 0.0])) * (SMPL_LEG / source.leg), motion.fps
        )
        theirs = soles(motion.retarget(character), character.body) * (SMPL_LEG / character.body.leg)
        assert float(foot_skate_speed(theirs, motion.fps)) < 1.1 * float(own)
        assert float(theirs[..., 1].min()) > -0.02


def test_three_hundred_bones_cost_no_more_than_their_output():
    base = FIGURES["root on the floor"].skeleton()
    names, parents = list(base.names), list(base.parents)
    offsets, rest = [base.offsets], [base.rest]
    for number in range(300 - len(names)):  # hair: chains on the head, with bones of no length among them
        parents.append(names.index("head") if number % 10 == 0 else len(names) - 1)
        names.append(f"hair_{number}")
        offsets.append(torch.tensor([[0.0, 0.02 * (number % 3), 0.0]]))
        rest.append(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
    target = Skeleton(tuple(names), tuple(parents), torch.cat(offsets), torch.cat(rest))
    few, many = retarget(walking(), base), retarget(walking(), target)
    assert_close(many.positions()[:, : base.num_joints], few.positions(), atol=1e-5, rtol=0)


def test_a_limb_without_length_is_one_clear_line():
    base = Figure().skeleton()
    offsets = base.offsets.clone()
    offsets[base.index("left_knee")] = 0.0
    with pytest.raises(
        ValueError, match=r"expected left_hip and left_knee apart.*at one place; name other joints"
    ):
        retarget(walking(), Skeleton(base.names, base.parents, offsets))


def test_what_is_no_humanoid_is_one_clear_line():
    with pytest.raises(ValueError, match=r"expected a humanoid, found no joint for pelvis"):
        retarget(walking(), Skeleton(("wing", "tail"), (-1, 0), torch.ones(2, 3)))


def test_a_clip_in_which_nobody_stands_is_scaled_alone():
    motion = wobble(40)
    target = Figure(size=1.5).skeleton()
    assert_close(
        retarget(motion, target).positions(),
        retarget(motion, target, plant_feet=False).positions(),
        atol=1e-6,
        rtol=0,
    )


def test_a_floor_at_another_height_becomes_the_floor():
    motion = swaying_on_its_feet().moved(torch.tensor([0.0, -0.93, 0.0]))
    body = Body.of(FIGURES["child"].skeleton())
    assert float(soles(retarget(motion, body.skeleton), body)[..., 1].abs().max()) < 2e-3
    assert leg_length(body.skeleton, body.mapping) == pytest.approx(0.6 * SMPL_LEG, rel=0.02)
