"""Each gait as a head writes it, so that a character that is driven starts at once.

A head that stands needs a second until it walks. Here it continues the two tokens of the gait whose pose is nearest to
the character's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.features import LAYOUT
from motiongen.inference.model import Model
from motiongen.rotation import sixd_from_quat
from motiongen.streaming.gaits import BACK, FORWARD, LEFT, STAND, Gait
from motiongen.streaming.stream_batch import StreamBatch

DRAWS = 4
"""Times that standing is written, for it is done in many ways: the calmest is kept that is as upright as a walk."""
NUM_GAITS = len(FORWARD) + 2 + DRAWS
"""Slots of the batch that writes."""
PREFIX = 2
"""Tokens of a gait that the head continues."""
FIRST, COUNT = 4, 26
"""The first token of a gait that may be continued, and how many are written."""
AGE = FIRST + PREFIX
"""Age that the head is told of a gait under way, tokens."""


@dataclass(frozen=True)
class WrittenGait:
    """Tokens of one gait, any of which but the first can be continued.

    Attributes:
        codes: (N, Q).
        frames: (N, frames of a token, D) features.
        fitting: (N,) bool: whether the gait is under way after a token.
    """

    codes: Tensor
    frames: Tensor
    fitting: Tensor

    def start(self, pose: Tensor, *, is_mirrored: bool) -> Tensor:
        """Return the codes (PREFIX, Q) that lead to the pose nearest to one.

        Args:
            pose: features (D,) of the pose.
            is_mirrored: whether the pose is the mirror image of one of the gait.
        """
        wanted = features.mirror(pose) if is_mirrored else pose
        joints, contacts = LAYOUT["joints"], LAYOUT["contacts"]
        ends = self.frames[:, -1]
        distance = (ends[:, joints] - wanted[joints]).square().sum(dim=1)
        distance = distance + 0.5 * (ends[:, contacts] - wanted[contacts]).square().sum(dim=1)
        last = int(distance.masked_fill(~self.fitting, torch.inf).argmin())
        return self.codes[last + 1 - PREFIX : last + 1]


class GaitLibrary:
    """All gaits as one head writes them; made when the first character is driven."""

    def __init__(self, model: Model, make_batch: Callable[[], StreamBatch]) -> None:
        """Make a library that is not written yet.

        Args:
            model: head, tokenizer and text encoder.
            make_batch: makes a batch with room for every sentence.
        """
        self._model, self._make_batch = model, make_batch
        self._written: dict[str, WrittenGait] = {}

    def __getitem__(self, gait: Gait) -> WrittenGait:
        self.write()
        return self._written[gait.text]

    @property
    def is_written(self) -> bool:
        """Whether gaits can be had without waiting."""
        return bool(self._written)

    def write(self) -> str:
        """Write all gaits, together, unless that was done; return an empty note."""
        if self._written:
            return ""
        gaits = [*FORWARD, LEFT, BACK, *[STAND] * DRAWS]
        batch, slots = self._make_batch(), range(len(gaits))
        noise = [torch.Generator().manual_seed(slot) for slot in slots]
        with torch.inference_mode():
            batch.set_text(list(slots), self._model.condition([gait.text for gait in gaits], noise))
        batch.seed[:] = np.arange(batch.size)
        made: list[tuple[Tensor, Tensor]] = []
        for age in range(1, COUNT + 1):
            batch.age[:] = min(age, AGE)
            codes, _, frames = batch.step(list(slots))
            made.append((codes, frames))
        written: dict[str, WrittenGait] = {}
        unrest = torch.inf
        for slot, gait in enumerate(gaits):
            codes, frames = (torch.stack([own[part][slot] for own in made]) for part in (0, 1))
            if gait is STAND:
                now = _unrest(frames, written[FORWARD[0].text].frames)
                if now >= unrest:
                    continue
                unrest = now
            written[gait.text] = WrittenGait(codes, frames, _fitting(frames, gait))
        self._written = written
        return ""


def _unrest(frames: Tensor, walk: Tensor) -> float:
    """Return how much features (N, frames, D) move, m/s, and how much lower or higher they stand than a walk."""
    late, height = frames[FIRST:], LAYOUT["height"]
    speed = late[..., LAYOUT["velocity"]].norm(dim=-1).mean()
    return float(speed + 5 * (late[..., height] - walk[..., height].mean()).abs().mean())


def _fitting(frames: Tensor, gait: Gait) -> Tensor:
    """Return after which tokens (N,) of features (N, frames, D) a gait is under way, in its direction."""
    velocity = frames[..., LAYOUT["velocity"]].mean(dim=1)  # (N, 2), to the left and ahead
    before = torch.cat([velocity[:1], velocity[:-1]])
    along = torch.tensor([math.sin(gait.direction), math.cos(gait.direction)])
    way = torch.minimum(velocity @ along, before @ along)
    late = torch.arange(len(frames)) >= FIRST
    if gait is STAND:
        height = frames[..., LAYOUT["height"]].mean(dim=(1, 2))
        return late & (height >= height[late].median())
    return late & (way >= way[late].quantile(0.5))


def pose_features(rotations: np.ndarray, contacts: int) -> Tensor:
    """Return features (D,) of a pose, with joints and contacts alone.

    Args:
        rotations: local rotations (22, 4).
        contacts: bits of the foot contacts.
    """
    pose = torch.zeros(features.FEATURE_DIM)
    pose[LAYOUT["joints"]] = sixd_from_quat(torch.from_numpy(rotations[1:])).flatten()
    pose[LAYOUT["contacts"]] = torch.tensor([float(contacts >> bit & 1) for bit in range(4)])
    return pose
