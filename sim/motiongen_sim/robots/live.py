"""A robot that tracks a live character: the frames of `motiongen serve`, retargeted one by one."""

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
from motiongen_sim.robots.measurement import foot_heights, suspended
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.retarget import Clipping, Retargeter
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.tracking_run import RATE, TrackingRun
from motiongen_sim.robots.trajectory import RobotState

SILENCE = 45.0
"""Time limit for the next frame, in seconds; a connection that drops may be back after 30."""


class StreamRetargeter:
    """Retargets the frames of a stream to states of a robot, one by one.

    The floor is at the feet of the first frame; later frames are lifted where the robot's feet would sink in.

    Args:
        robot: its description.
        is_upright: the pelvis is fixed to the world, upright.
    """

    def __init__(self, robot: Robot, *, is_upright: bool = False) -> None:
        self._retargeter = Retargeter(SMPL22, robot, is_upright=is_upright)
        self._is_upright = is_upright
        self._floor: float | None = None

    @property
    def clipping(self) -> dict[str, Clipping]:
        """Joint name -> how far its limits changed the motion."""
        return self._retargeter.clipping

    def state(self, frame: WireFrame) -> RobotState:
        """Return the target state of a frame."""
        rotations = quat_normalize(torch.from_numpy(frame.rotations))[None]
        trajectory = self._retargeter.follow(
            Motion(SMPL22, rotations, torch.from_numpy(frame.root)[None], RATE)
        )
        if self._is_upright:
            return suspended(trajectory).states()[0]
        lowest = float(foot_heights(trajectory)[0])
        if self._floor is None:
            self._floor = lowest
        lift: Array = np.array([0.0, 0.0, max(self._floor - lowest, 0.0) - self._floor])
        return trajectory.moved(lift).states()[0]


async def follow(
    connection: Connection,
    prompt: str,
    run: TrackingRun,
    goals: StreamRetargeter,
    seconds: float,
    seed: int | None,
) -> int:
    """Let a robot track a new character of a server. Returns the number of frames that were dropped.

    Args:
        connection: to the server, not yet open.
        prompt: the character's first prompt.
        run: the simulated robot.
        goals: turns frames into target states.
        seconds: duration.
        seed: of the character; random if None.

    Raises:
        ConnectionError: there is no server, or the stream ended too soon.
        VerbRefused: the server refuses the prompt.
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


async def _read(
    character: RemoteCharacter, run: TrackingRun, goals: StreamRetargeter, seconds: float
) -> None:
    last = None
    async with asyncio.timeout(SILENCE) as silence:
        async for frame in character:
            silence.reschedule(asyncio.get_running_loop().time() + SILENCE)
            is_running = run.follow(goals.state(frame), 1 if last is None else frame.seq - last)
            last = frame.seq
            if not is_running or run.seconds >= seconds:
                return
            await asyncio.sleep(0)  # physics takes the loop for a few ms a frame: let messages in
    raise ConnectionError("the server ended the stream")
