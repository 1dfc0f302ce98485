"""What the panel's buttons do."""

import ipaddress

import bpy

from . import live
from .core.websocket import parse_url


class Connect(bpy.types.Operator):
    """Connect to the server, and show its character on the armature."""

    bl_idname = "motiongen.connect"
    bl_label = "Connect"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether it can be pressed."""
        return context.scene.motiongen.armature is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Connect."""
        settings = context.scene.motiongen
        try:
            host = parse_url(settings.url)[0]
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not bpy.app.online_access and not _is_loopback(host):
            self.report({"ERROR"}, "Allow online access in the preferences, System, to reach another machine")
            return {"CANCELLED"}
        live.connect(settings.url, settings.token, settings.prompt, settings.armature)
        return {"FINISHED"}


class Disconnect(bpy.types.Operator):
    """Hang up. The armature keeps its pose."""

    bl_idname = "motiongen.disconnect"
    bl_label = "Disconnect"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Hang up."""
        live.hang_up()
        return {"FINISHED"}


class _Connected(bpy.types.Operator):
    """An operator of a character that is there."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether it can be pressed."""
        return live.current is not None


class Prompt(_Connected):
    """Do what the prompt says, now."""

    bl_idname = "motiongen.prompt"
    bl_label = "Do it now"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Send the prompt."""
        text = context.scene.motiongen.prompt.strip()
        if not text:
            self.report({"ERROR"}, "Type what the character is to do")
            return {"CANCELLED"}
        live.current.link.tell("prompt", text=text)
        return {"FINISHED"}


class Then(_Connected):
    """Do what the prompt says when the motion before has ended."""

    bl_idname = "motiongen.then"
    bl_label = "Then"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Send the prompt."""
        text = context.scene.motiongen.prompt.strip()
        if not text:
            self.report({"ERROR"}, "Type what the character is to do")
            return {"CANCELLED"}
        live.current.link.tell("then", text=text)
        return {"FINISHED"}


class Hold(_Connected):
    """Stop, and stand."""

    bl_idname = "motiongen.hold"
    bl_label = "Hold"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Send the verb."""
        live.current.link.tell("hold")
        return {"FINISHED"}


class Record(_Connected):
    """Record the stream; pressed again, write it as keys, one a frame, from the current frame on."""

    bl_idname = "motiongen.record"
    bl_label = "Record"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 # as Blender wants it

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin, or end and write."""
        link = live.current.link
        if not link.is_recording:
            link.record()
            return {"FINISHED"}
        try:
            count = live.current.write_keys(context.scene.frame_current, context.scene)
        except (ValueError, ReferenceError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{count} frames of keys")
        return {"FINISHED"}


CLASSES = (Connect, Disconnect, Prompt, Then, Hold, Record)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def register() -> None:
    """Make the operators known."""
    for one in CLASSES:
        bpy.utils.register_class(one)


def unregister() -> None:
    """Hang up, and forget the operators."""
    live.hang_up()
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
