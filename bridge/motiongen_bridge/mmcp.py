"""Whole clips by MMCP, the Motion Model Context Protocol (1.4): what its plug-ins may ask for, and how it is met.

A request names a skeleton, segments of text with their numbers of frames, and options. The clip is written segment by
segment, each going on from the one before, and put on the request's skeleton: on the canonical one, SMPL-22, as it is;
on any other humanoid by retargeting. Constraints are not offered, since no head meets them.
"""

import asyncio
import secrets
from typing import Any

import numpy as np
import torch
from motionmcp import GenerateRequest, Joint, ModelSpec, MotionResult, ProtocolError
from motionmcp import Skeleton as WireSkeleton
from motionmcp.backbone import Backbone, Limits

from motiongen import features
from motiongen.conditions.plan import plan_all
from motiongen.heads.code_config import CodeOptions
from motiongen.humanoid import humanoid_match
from motiongen.inference.model import Model
from motiongen.inference.perform import perform
from motiongen.motion import Motion
from motiongen.retargeting import Body
from motiongen.skeleton import SMPL22, Skeleton
from motiongen_bridge.sent_body import body_rest

MAX_SECONDS = 60.0
MAX_SAMPLES = 8
MAX_FPS = 240.0
MAX_WAITING = 16
"""Requests that wait for the model; more are refused."""
SEEDS = 2**53
"""Seeds that the model tells apart; the protocol's may be any whole numbers."""
CONTACTS = ("left_ankle", "left_foot", "right_ankle", "right_foot")
SAME_METRES = 1e-3
"""Difference of an offset at which a skeleton is another one."""


class MotionBackbone(Backbone):  # type: ignore[misc] # the package has no types
    """A text head as the protocol's model. One request is generated at a time, off the event loop."""

    def __init__(self, model: Model) -> None:
        """Make a backbone.

        Args:
            model: writes the clips.
        """
        self.model_id = f"motiongen-{model.spec.name}"
        self._model = model
        self._turn = asyncio.Lock()
        self._waiting = 0

    def capabilities(self) -> ModelSpec:
        """Return what may be asked for."""
        return ModelSpec(
            id=self.model_id,
            fps=features.FPS,
            canonical_skeleton=canonical_skeleton(),
            supports_retargeting=True,
            supports_segment_seed=True,
            supported_constraints=[],
            supported_segments=["text"],
            supported_guidance_types=["nocfg", "regular"],
            predicted_contact_joints=list(CONTACTS),
            native_clip_seconds=10.0,
            chunking="stitched",
            recommended_max_duration_seconds=30.0,
            limits=Limits(
                max_duration_seconds=MAX_SECONDS,
                max_num_samples=MAX_SAMPLES,
                max_constraints_per_request=0,
                max_prompt_length=500,
            ),
        )

    async def generate(self, request: GenerateRequest) -> MotionResult:
        """Return the clips of a request.

        Args:
            request: checked by the protocol's package against `capabilities`.

        Raises:
            ProtocolError: the skeleton is no humanoid, an option is not met, or too many requests wait.
        """
        skeleton = own_skeleton(request.skeleton)
        options = _sampling(self._model, request)
        if self._waiting >= MAX_WAITING:
            raise ProtocolError("resource_exhausted", f"{MAX_WAITING} requests wait already; try again later")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._generate, request, skeleton, options)
        except ValueError as error:  # of a prompt: the shapes of all else were checked
            raise ProtocolError("invalid_options", str(error)) from None
        finally:
            self._waiting -= 1

    def _generate(
        self, request: GenerateRequest, skeleton: Skeleton | None, options: CodeOptions
    ) -> MotionResult:
        asked = request.options
        seed = asked.seed if asked is not None and asked.seed is not None else secrets.randbits(32)
        count = 1 if asked is None else asked.num_samples
        clips = [self._clip(request, seed, sample, options) for sample in range(count)]
        if asked is None or asked.post_processing:
            clips = [clip.with_locked_feet() for clip in clips]
        contacts = np.stack([clip.contacts().numpy() for clip in clips])  # (B, T, 4)
        joint_of = {name: name for name in SMPL22.names}
        if skeleton is not None:
            joint_of = dict(humanoid_match(skeleton).roles)
            clips = [clip.retarget(skeleton) for clip in clips]
        fps = request.fps(features.FPS)
        if fps != features.FPS:
            frames = torch.arange(request.total_frames, dtype=torch.float64) * features.FPS / fps
            contacts = contacts[:, frames.round().long().clamp(max=contacts.shape[1] - 1)]
            clips = [clip.at(frames, fps) for clip in clips]
        prompts = [segment.prompt for segment in request.segments]
        return MotionResult(
            rotations=np.stack([clip.rotations.numpy() for clip in clips]),
            root_translations=np.stack([clip.root.numpy() for clip in clips]),
            foot_contacts={
                joint_of[name]: contacts[..., n] for n, name in enumerate(CONTACTS) if name in joint_of
            },
            canonical_to_request=None if skeleton is None else joint_of,
            notes=_notes(self._model, prompts),
        )

    def _clip(self, request: GenerateRequest, seed: int, sample: int, options: CodeOptions) -> Motion:
        """Return the motion of all segments, at the model's rate and with the frames that last as long as asked."""
        motion: Motion | None = None
        frames, fps = 0, request.fps(features.FPS)
        for number, segment in enumerate(request.segments):
            frames += segment.duration_frames
            end = max(1, round(frames * features.FPS / fps))
            begin = 0 if motion is None else motion.num_frames
            if end == begin:  # at a higher rate a frame or two are none of the model's
                continue
            found = perform(
                self._model,
                [segment.prompt],
                seconds=(end - begin) / features.FPS,
                start_from=motion,
                seed=((seed + number if segment.seed is None else segment.seed) + sample) % SEEDS,
                options=options,
            )
            motion = found[0].motion
            if motion.num_frames != end:  # a sentence of several acts, each of whole frames
                motion = motion.at(torch.arange(end))
        assert motion is not None
        return motion


def canonical_skeleton() -> WireSkeleton:
    """Return SMPL-22 as the protocol has skeletons, standing in its T-pose."""
    rest = body_rest()
    return WireSkeleton(
        joints=[
            Joint(
                name=name,
                parent=None if parent < 0 else rest.names[parent],
                rest_translation=(0.0, rest.hip_height, 0.0) if parent < 0 else offset,
                rest_rotation=(0.0, 0.0, 0.0, 1.0),
            )
            for name, parent, offset in zip(rest.names, rest.parents, rest.offsets, strict=True)
        ]
    )


def own_skeleton(wire: WireSkeleton) -> Skeleton | None:
    """Return the skeleton of a request, or None for the canonical one.

    Args:
        wire: a tree of joints, parents first.

    Raises:
        ProtocolError: its numbers are none of a skeleton, or it is no humanoid, or a limb has a bone without length.
    """
    names = [joint.name for joint in wire.joints]
    rotations = torch.tensor([joint.rest_rotation for joint in wire.joints])
    offsets = torch.tensor([joint.rest_translation for joint in wire.joints])
    identity = torch.tensor([0.0, 0.0, 0.0, 1.0])
    if tuple(names) == SMPL22.names:
        distance = (offsets - SMPL22.offsets)[1:].abs().max()  # wherever its root rests
        if distance < SAME_METRES and (rotations[:, 3].abs() > 1 - 1e-6).all():
            return None
    lengths = rotations.norm(dim=-1, keepdim=True)
    try:
        skeleton = Skeleton(
            tuple(names),
            tuple(-1 if joint.parent is None else names.index(joint.parent) for joint in wire.joints),
            offsets,
            torch.where(lengths > 1e-6, rotations / lengths, identity),
        )
    except ValueError as error:
        raise ProtocolError("invalid_skeleton", str(error)) from None
    if not humanoid_match(skeleton).is_humanoid:
        raise ProtocolError(
            "invalid_skeleton",
            "skeleton: expected a humanoid, whose joints' names tell hips, knees, shoulders and elbows; rename them, "
            "or send the canonical skeleton of /capabilities",
            details={"joints": names[:100]},
        )
    try:
        Body.of(skeleton)  # now, and not after a clip was made for it
    except ValueError as error:  # a limb's bone without length
        raise ProtocolError(
            "invalid_skeleton", str(error).partition(";")[0] + "; give the bone a length"
        ) from None
    return skeleton


def _sampling(model: Model, request: GenerateRequest) -> CodeOptions:
    """Return the head's options; the protocol's other dials, steps and transitions, are none of this kind of model."""
    if request.fps(features.FPS) > MAX_FPS:
        raise ProtocolError("invalid_options", f"timing.fps: expected at most {MAX_FPS:g}")
    guidance = None if request.options is None else request.options.guidance
    if guidance is None:
        return model.spec.options()
    if guidance.type == "separated":
        raise ProtocolError("invalid_options", "guidance.type: expected nocfg or regular, got separated")
    scale = 1.0 if guidance.type == "nocfg" else guidance.weight[0]
    try:
        return model.spec.options().adjusted(scale, None)
    except ValueError as error:
        raise ProtocolError("invalid_options", f"guidance.weight: {error}") from None


def _notes(model: Model, prompts: list[str]) -> list[dict[str, Any]]:
    """Return what is to be said about an answer: prompts far from all that is known, and the licence."""
    acts = [part.text for part in plan_all(prompts) if not part.rests]
    notes = [{"code": "far_prompt", "severity": "info", "message": note} for note in model.note_far(acts)]
    if model.licence:
        notes.append({"code": "licence", "severity": "info", "message": f"weights: {model.licence}"})
    return notes
