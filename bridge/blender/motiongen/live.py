"""The stream on an armature: poses it as often as Blender draws, follows an object, and writes takes as keys."""

import time

import bpy
import mathutils

from .core.link import Link
from .core.playback import Pose
from .core.rig import Bone, Rig

TICK_SECONDS = 1 / 60
GOTO_SECONDS = 0.5
"""Least time between two goto, so that a dragged object does not flood the server."""
GOTO_METRES = 0.2


class Live:
    """A character of a server, and the armature that shows it."""

    def __init__(self, url: str, token: str, prompt: str, armature: bpy.types.Object) -> None:
        """Connect.

        Args:
            url: address of the server.
            token: its secret; empty for none.
            prompt: what the character does first; empty to stand.
            armature: a humanoid.
        """
        self.link = Link(url, token, prompt)
        self.armature = armature
        self._rig: Rig | None = None
        self._goal: mathutils.Vector | None = None
        self._went = 0.0
        self.link.start()

    def stop(self) -> None:
        """Hang up."""
        self.link.stop()

    def tick(self, target: bpy.types.Object | None) -> None:
        """Show the pose that is due, and go to where an object is.

        Args:
            target: the object that is followed; None for none.

        Raises:
            ValueError: the armature is no humanoid.
            ReferenceError: the armature was deleted.
        """
        pose = self.link.sample()
        if pose is None:
            return
        self.show(pose)
        if target is not None:
            self._follow(target)

    def show(self, pose: Pose) -> None:
        """Put a pose on the armature.

        Args:
            pose: of the stream.

        Raises:
            ValueError: the armature is no humanoid.
            ReferenceError: the armature was deleted.
        """
        bones = self.armature.pose.bones
        for done in self.rig().apply(pose.rotations, pose.root):
            bone = bones[done.name]
            x, y, z, w = done.rotation
            if bone.rotation_mode != "QUATERNION":
                bone.rotation_mode = "QUATERNION"
            bone.rotation_quaternion = (w, x, y, z)
            if done.location is not None:
                bone.location = done.location

    def rig(self) -> Rig:
        """Return the armature's parts, which are found once.

        Raises:
            ValueError: the armature is no humanoid.
        """
        if self._rig is None:
            assert self.link.hello is not None
            skeleton = self.link.hello["skeleton"]
            bones = bones_of(self.armature)
            self._rig = Rig(bones, skeleton["names"], skeleton["parents"], skeleton["offsets"])
        return self._rig

    def write_keys(self, first_frame: int, scene: bpy.types.Scene) -> int:
        """Write the take as an action, a key a frame of the scene; return how many frames it has.

        Args:
            first_frame: the scene's frame of the take's first.
            scene: its rate is that of the keys.
        """
        take = self.link.stop_recording()
        poses = [] if take is None else take.poses(scene.render.fps / scene.render.fps_base)
        if not poses:
            return 0
        self.armature.animation_data_create().action = bpy.data.actions.new(f"motiongen {self.armature.name}")
        bones = self.armature.pose.bones
        before: dict[str, mathutils.Quaternion] = {}
        for number, pose in enumerate(poses):
            self.show(pose)
            for done in self.rig().apply(pose.rotations, pose.root):
                bone = bones[done.name]
                if done.name in before:  # of q and -q the nearer, which curves may join
                    turn = bone.rotation_quaternion.copy()
                    turn.make_compatible(before[done.name])
                    bone.rotation_quaternion = turn
                before[done.name] = bone.rotation_quaternion.copy()
                bone.keyframe_insert("rotation_quaternion", frame=first_frame + number, group=bone.name)
                if done.location is not None:
                    bone.keyframe_insert("location", frame=first_frame + number, group=bone.name)
        return len(poses)

    def _follow(self, target: bpy.types.Object) -> None:
        place = self.armature.matrix_world.inverted() @ target.matrix_world.translation
        now = time.monotonic()
        if now - self._went < GOTO_SECONDS:
            return
        if self._goal is not None and (place - self._goal).length < GOTO_METRES * self.rig().scale:
            return
        self._goal, self._went = place.copy(), now
        x, z = self.rig().to_stream(tuple(place))
        self.link.tell("goto", x=x, z=z)


def bones_of(armature: bpy.types.Object) -> list[Bone]:
    """Return the bones of an armature at rest, parents first.

    Args:
        armature: any.
    """
    numbers = {bone.name: n for n, bone in enumerate(armature.data.bones)}
    bones = []
    for bone in armature.data.bones:
        w, x, y, z = bone.matrix_local.to_quaternion()
        parent = -1 if bone.parent is None else numbers[bone.parent.name]
        bones.append(Bone(bone.name, parent, (x, y, z, w), tuple(bone.head_local)))
    return bones


current: Live | None = None
"""The one that is connected; Blender has one panel."""
problem = ""
"""Why the last one ended, for the panel."""


def tick() -> float | None:
    """Be called by Blender's timer: return the seconds to the next call, or None to end."""
    global problem
    if current is None:
        return None
    scene = bpy.context.scene
    try:
        current.tick(scene.motiongen.target)
    except (ValueError, ReferenceError) as error:
        problem = str(error)
        hang_up()
        return None
    if not current.link.is_running and current.link.sample() is None:
        problem = current.link.status
        hang_up()
        return None
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
    return TICK_SECONDS


def connect(url: str, token: str, prompt: str, armature: bpy.types.Object) -> Live:
    """Connect, in place of the one that is connected, and begin to show it.

    Args:
        url: address of the server.
        token: its secret; empty for none.
        prompt: what the character does first.
        armature: a humanoid.
    """
    global current, problem
    hang_up()
    problem = ""
    current = Live(url, token, prompt, armature)
    bpy.app.timers.register(tick, first_interval=TICK_SECONDS)
    return current


def hang_up() -> None:
    """Disconnect; the armature keeps its pose."""
    global current
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    if current is not None:
        current.stop()
        current = None
