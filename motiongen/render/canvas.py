"""Off-screen Panda3D buffers, on the GPU through EGL or in Panda3D's software display."""

import ctypes.util
import logging
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
logger = logging.getLogger(__name__)

DISPLAYS = {"egl": "p3headlessgl", "software": "p3tinydisplay"}
"""Display name -> Panda3D module. The software display needs no system library."""
_SOFTWARE_GL = ("llvmpipe", "softpipe", "swrast", "software")
_SETTINGS = """
window-type offscreen
audio-library-name null
sync-video 0
notify-level-display fatal
notify-level-glgsg fatal
textures-power-2 none
"""


class Canvas:
    """An off-screen buffer: a scene root, a camera and its pixels.

    All calls come from one thread; `close` frees the buffer.

    Args:
        size: width and height in pixels.
        background: background colour, sRGB in [0, 1].
        display: "auto", "egl" or "software". "auto" takes EGL where there is a GPU and the software display
            otherwise; the environment variable MOTIONGEN_DISPLAY replaces "auto".
    """

    def __init__(
        self, size: tuple[int, int], background: tuple[float, float, float], *, display: str = "auto"
    ) -> None:
        from panda3d import core

        self.size = size
        self._core = core
        self._engine = core.GraphicsEngine.get_global_ptr()
        self._pipe, self._buffer, self.display = _open(core, self._engine, size, _wanted(display))
        self._texture = core.Texture("pixels")
        self._buffer.add_render_texture(
            self._texture, core.GraphicsOutput.RTM_copy_ram, core.GraphicsOutput.RTP_color
        )
        self._buffer.set_clear_color((*background, 1.0))
        self.root = core.NodePath("scene")
        self._perspective, self._flat = core.PerspectiveLens(), core.OrthographicLens()
        self._camera = self.root.attach_new_node(core.Camera("camera", self._perspective))
        self._buffer.make_display_region().set_camera(self._camera)

    def look(self, eye: Array, target: Array, fov: float) -> None:
        """Set a perspective camera at `eye` (3,) that looks at `target` (3,) with a vertical field of view, radians."""
        width, height = self.size
        horizontal = 2 * np.arctan(np.tan(fov / 2) * width / height)
        self._use(self._perspective, eye, target, (np.degrees(horizontal), np.degrees(fov)))

    def look_flat(self, eye: Array, target: Array, height: float) -> None:
        """Set an orthographic camera that shows `height` metres from the lowest row to the highest."""
        self._use(self._flat, eye, target, (height * self.size[0] / self.size[1], height))

    def _use(self, lens: Any, eye: Array, target: Array, extent: tuple[float, float]) -> None:
        if lens is self._flat:
            lens.set_film_size(*extent)
        else:
            lens.set_fov(*extent)
        distance = float(np.linalg.norm(eye - target))
        lens.set_near_far(distance * 0.05, distance * 20)
        self._camera.node().set_lens(lens)
        self._camera.set_pos(*map(float, eye))
        self._camera.look_at(self._core.Point3(*map(float, target)), self._core.Vec3(0, 1, 0))

    def draw(self) -> NDArray[np.uint8]:
        """Return the picture (height, width, 4): blue, green, red and an unused byte, top row first."""
        self._engine.render_frame()
        width, height = self.size
        pixels = np.frombuffer(self._texture.get_ram_image(), dtype=np.uint8).reshape(height, width, 4)
        # Panda3D's first row is the lowest; the copy outlives the buffer.
        return np.ascontiguousarray(pixels[::-1])

    def close(self) -> None:
        """Free the buffer."""
        self._engine.remove_window(self._buffer)
        self.root.remove_node()

    def __enter__(self) -> "Canvas":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _wanted(display: str) -> list[str]:
    """Return the displays to try, in order."""
    if display == "auto":
        display = os.environ.get("MOTIONGEN_DISPLAY", "auto")
    if display == "auto":
        # Without the library Panda3D would write its own complaint to the terminal.
        return ["egl", "software"] if ctypes.util.find_library("EGL") else ["software"]
    if display not in DISPLAYS:
        raise ValueError(
            f"display: expected auto, {', '.join(DISPLAYS)}, got {display!r}; set MOTIONGEN_DISPLAY=auto"
        )
    return [display]


def _open(core: Any, engine: Any, size: tuple[int, int], wanted: list[str]) -> tuple[Any, Any, str]:
    """Return the pipe, buffer and name of the first display that opens."""
    core.load_prc_file_data("motiongen", _SETTINGS)
    for name in wanted:
        pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe(DISPLAYS[name])
        buffer = None if pipe is None else _buffer(core, engine, pipe, size)
        if buffer is None:
            logger.debug("display %s does not open", name)
            continue
        renderer = buffer.get_gsg().get_driver_renderer()
        if len(wanted) > 1 and name == "egl" and any(word in renderer.lower() for word in _SOFTWARE_GL):
            # A GL that runs on the CPU gains nothing over the software display, whose pixels are the same anywhere.
            logger.debug("display egl is %s: left for the software display", renderer)
            engine.remove_window(buffer)
            continue
        logger.debug("display %s: %s", name, renderer)
        return pipe, buffer, name
    raise ValueError(
        f"display: expected one of {', '.join(wanted)} to open, got none; try MOTIONGEN_DISPLAY=software"
    )


def _buffer(core: Any, engine: Any, pipe: Any, size: tuple[int, int]) -> Any | None:
    properties = core.FrameBufferProperties()
    properties.set_rgba_bits(8, 8, 8, 8)
    properties.set_depth_bits(24)
    window = core.WindowProperties.size(*size)
    buffer = engine.make_output(pipe, "motiongen", 0, properties, window, core.GraphicsPipe.BF_refuse_window)
    if buffer is None:
        return None
    engine.open_windows()
    if not buffer.is_valid() or buffer.get_gsg() is None:
        engine.remove_window(buffer)
        return None
    return buffer
