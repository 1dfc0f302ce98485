"""What a scene remembers of motiongen."""

import bpy


class MotiongenSettings(bpy.types.PropertyGroup):
    """Settings of the panel."""

    url: bpy.props.StringProperty(
        name="Server", default="ws://127.0.0.1:8787", description="Address that motiongen serve printed"
    )
    token: bpy.props.StringProperty(
        name="Token",
        subtype="PASSWORD",
        options={"SKIP_SAVE"},
        description="The server's secret, if it has one",
    )
    prompt: bpy.props.StringProperty(
        name="Prompt", default="a person walks forward", description="What the character is to do"
    )
    armature: bpy.props.PointerProperty(
        name="Armature",
        type=bpy.types.Object,
        poll=lambda self, thing: thing.type == "ARMATURE",
        description="A humanoid, whose bones are found by their names",
    )
    target: bpy.props.PointerProperty(
        name="Follow", type=bpy.types.Object, description="The character walks to this object when it moves"
    )


def register() -> None:
    """Add the settings to scenes."""
    bpy.utils.register_class(MotiongenSettings)
    bpy.types.Scene.motiongen = bpy.props.PointerProperty(type=MotiongenSettings)


def unregister() -> None:
    """Take the settings away."""
    del bpy.types.Scene.motiongen
    bpy.utils.unregister_class(MotiongenSettings)
