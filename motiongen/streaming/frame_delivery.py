"""Turns the decoded tokens of a stream into its frames: steers them, and blends the seams between motions."""

import numpy as np
import torch
from torch import Tensor

from motiongen import blend, features
from motiongen.features import Frames, RootState
from motiongen.foot_steps import LENGTH, FootSteps, ankles, foot_steps
from motiongen.motion import Motion
from motiongen.rotation import heading_angle
from motiongen.streaming.pending_frame import pending_frames
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.token_history import TokenHistory, TokenStart

BLEND_FRAMES = 10
"""Frames over which a seam is blended."""


class FrameDelivery:
    """Appends frames to one character.

    Attributes:
        root: root state that the next frame follows.
    """

    def __init__(self, character: TextCharacter, history: TokenHistory) -> None:
        """Begin at the origin.

        Args:
            character: receives the frames; its plan says how to steer.
            history: records where each token began.
        """
        self.root = features.init_state(1)
        self._character, self._history = character, history
        self._seam: blend.Seam | None = None
        self._steps: FootSteps | None = None
        self._seam_frames = 0  # frames since the seam
        self._seam_from: tuple[Tensor, Tensor] | None = (
            None  # rotations and root that the next frames follow on
        )
        self._cuts = False  # whether the next frame is a jump
        self._jump: tuple[Tensor, Tensor] | None = None  # a given pose that the next frames follow on

    @property
    def is_blending(self) -> bool:
        """Whether a seam is not over yet."""
        return self._seam is not None or self._steps is not None

    def deliver(self, frames: Frames, start: RootState) -> int:
        """Append a token's frames, steered and blended; return the number of the first.

        Args:
            frames: (1, T), which end at `root`.
            start: root state before them.
        """
        steering = self._character.plan.steering
        angle = steering.angle
        if not steering.is_idle:
            frames = steering.apply(frames, self.root)
        self._history.add_start(TokenStart(start, angle - steering.angle))
        rotations, root = frames.rotations[0], frames.root[0]
        if self._seam_from is not None:
            self._seam = blend.seam(rotations, root, *self._seam_from, BLEND_FRAMES)
            self._steps = foot_steps(ankles(*self._seam_from), ankles(rotations, root))
            self._seam_frames, self._seam_from = 0, None
        if self.is_blending:
            rotations, root = self._blended(rotations, root)
        obeys = [self._character.plan.number] * len(root)
        cuts, self._cuts = self._cuts, False
        return self._character.append_frames(
            pending_frames(rotations, root, frames.contacts[0], obeys, cuts=cuts)
        )

    def _blended(self, rotations: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames after a seam that continue the pose before it, with feet that step to their new places."""
        first, incoming = self._seam_frames, (rotations, root)
        if self._seam is not None:
            rotations, root = self._seam.apply(rotations, root, first)
        if self._steps is not None:
            rotations = self._steps.apply(rotations, root, ankles(*incoming), first)
        self._seam_frames += len(rotations)
        self._seam = None if self._seam_frames >= BLEND_FRAMES else self._seam
        self._steps = None if self._seam_frames >= LENGTH else self._steps
        return rotations, root

    def replace_waiting(self, *, realign: bool) -> None:
        """Remove the frames that wait, and let the next ones follow the last that was taken.

        Args:
            realign: whether the root goes on from the last taken frame, and not from where the head left it.
        """
        taken = self._character.discard_frames()
        if self._jump is not None:
            self._seam_from, self._jump, self._cuts = self._jump, None, True
            return
        if not taken:
            return
        rotations = torch.from_numpy(np.stack([frame.rotations for frame in taken]))
        root = torch.from_numpy(np.stack([frame.root for frame in taken]))
        # A few frames of a token are skipped, or of one taken back were seen: its feet stand where they stood, so
        # that the seam makes up for it by going a little faster or slower, and they do not slide.
        if realign:
            self.root = RootState(heading_angle(rotations[-1:, 0]), root[-1:, [0, 2]])
        self._seam_from = rotations, root

    def jump_to(self, motion: Motion) -> None:
        """Let the next frames follow the end of a given motion.

        Args:
            motion: of SMPL-22.
        """
        self.root = features.end_of(motion)
        self._jump = motion.rotations[-1:], motion.root[-1:]

    def rewind(self, tokens: int) -> None:
        """Go back to where tokens began; the angle that they turned by is still to be turned.

        Args:
            tokens: the last tokens, which are taken back.
        """
        for start in self._history.take_back(tokens):
            self.root = RootState(start.root.heading, start.root.position)
            self._character.plan.steering.angle += start.turned
