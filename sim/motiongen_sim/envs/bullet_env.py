"""BulletEnv: base of the environments in PyBullet."""

from contextlib import AbstractContextManager
from typing import Any, ClassVar

from motiongen_sim.envs.base import Image, RobotEnv
from motiongen_sim.robots.bullet import Camera, undone


class BulletEnv(RobotEnv):
    """A RobotEnv in a PyBullet server of its own, with a camera for people and one for observations.

    A subclass connects `_client` in its `__init__`, after this class's; `close` disconnects it.

    Attributes:
        CAMERA: of the pictures that `render` returns.
        IMAGE_CAMERA: of the observations' images.
    """

    CAMERA: ClassVar[Camera]
    IMAGE_CAMERA: ClassVar[Camera]
    _client: Any

    def _draw(self) -> Image:
        return self.CAMERA.render(self._client, *self.picture_size)

    def _observe_image(self) -> Image:
        return self.IMAGE_CAMERA.render(self._client, self.IMAGE_SIZE, self.IMAGE_SIZE, shadow=False)

    def _simulator_undone(self) -> AbstractContextManager[None]:
        return undone(self._client)

    def _free(self) -> None:
        self._client.disconnect()
