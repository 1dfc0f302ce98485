"""A live character moves a robot: the very frames that `motiongen serve` sends to a game, as they come."""

import asyncio

import numpy as np
import torch

from motiongen.motion import Motion
from motiongen.rotation import quat_normalize
from motiongen.skeleton import SMPL22
from motiongen_bridge.client import Connection
from motiongen_bridge.frame_recorder import FrameRecorder
from motiongen_bridge.frames import WireFrame
from motiongen_bridge.handshake import redacted_url
from motiongen_bridge.remote import RemoteCharacter
from motiongen_sim.robots.bench import foot_heights, hung
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.retarget import Clipping, Retargeter
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.run import RATE, Run
from motiongen_sim.robots.trajectory import State

SILENCE = 45.0
"""Seconds without a frame after which none is waited for; a connection that drops may be back after 30."""


class LiveGoals:
    """Turns the frames of a stream into states of a robot, one by one.

    The floor is where the first frame's feet are; later ones are lifted out of it where the robot's would sink in.

    Args:
        robot: whose states are wanted.
        is_upright: its pelvis is bolted down.
    """

    def __init__(self, robot: Robot, *, is_upright: bool = False) -> None:
        self._retargeter = Retargeter(SMPL22, robot, is_upright=is_upright)
        self._is_upright = is_upright
        self._floor: float | None = None

    @property
    def clipping(self) -> dict[str, Clipping]:
        """Joint -> how its limits held it back."""
        return self._retargeter.clipping

    def state(self, frame: WireFrame) -> State:
        """Return what a frame asks for."""
        rotations = quat_normalize(torch.from_numpy(frame.rotations))[None]
        trajectory = self._retargeter.follow(
            Motion(SMPL22, rotations, torch.from_numpy(frame.root)[None], RATE)
        )
        if self._is_upright:
            return hung(trajectory).states()[0]
        lowest = float(foot_heights(trajectory)[0])
        if self._floor is None:
            self._floor = lowest
        lift: Array = np.array([0.0, 0.0, max(self._floor - lowest, 0.0) - self._floor])
        return trajectory.moved(lift).states()[0]


async def follow(
    connection: Connection, prompt: str, run: Run, goals: LiveGoals, seconds: float, seed: int | None
) -> int:
    """Let a run follow a new character for so many seconds, and return how many frames never came.

    Raises:
        ConnectionError: there is no server, or the stream ended too soon.
        VerbRefused: the server does not want to do what was said.
        ValueError: its characters have another skeleton than SMPL-22, or another rate than the robot's 30 Hz.
    """
    async with connection:
        if FrameRecorder(connection.hello).fps != RATE:
            raise ValueError(f"hello: expected {RATE} frames a second, got {connection.hello['fps']}")
        character = await connection.open(prompt, seed=seed)
        try:
            await _read(character, run, goals, seconds)
        except TimeoutError:
            raise ConnectionError(
                f"{redacted_url(connection.url)}: no frame came for {SILENCE:.0f} s"
            ) from None
        return character.dropped


async def _read(character: RemoteCharacter, run: Run, goals: LiveGoals, seconds: float) -> None:
    last = None
    async with asyncio.timeout(SILENCE) as silence:
        async for frame in character:
            silence.reschedule(asyncio.get_running_loop().time() + SILENCE)
            goes_on = run.follow(goals.state(frame), 1 if last is None else frame.seq - last)
            last = frame.seq
            if not goes_on or run.seconds >= seconds:
                return
            await asyncio.sleep(0)  # physics takes the loop for a few ms a frame: let messages in
    raise ConnectionError("the server ended the stream")
