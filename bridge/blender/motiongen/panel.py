"""The panel in the sidebar of the 3D view."""

import bpy

from . import live


class MotiongenPanel(bpy.types.Panel):
    """Connect, prompt, follow, record."""

    bl_label = "motiongen"
    bl_idname = "VIEW3D_PT_motiongen"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "motiongen"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout, settings = self.layout, context.scene.motiongen
        layout.prop(settings, "url")
        layout.prop(settings, "token")
        layout.prop(settings, "armature")
        if live.current is None:
            layout.operator("motiongen.connect", icon="PLAY")
            if live.problem:
                layout.label(text=live.problem, icon="ERROR")
            return
        layout.operator("motiongen.disconnect", icon="PAUSE")
        layout.label(text=live.current.link.status)
        layout.prop(settings, "prompt", text="")
        row = layout.row(align=True)
        row.operator("motiongen.prompt")
        row.operator("motiongen.then")
        row.operator("motiongen.hold")
        layout.prop(settings, "target")
        is_recording = live.current.link.is_recording
        layout.operator("motiongen.record", text="Write keys" if is_recording else "Record", icon="REC")
        for note in live.current.link.notes:
            layout.label(text=note, icon="INFO")


def register() -> None:
    """Make the panel known."""
    bpy.utils.register_class(MotiongenPanel)


def unregister() -> None:
    """Forget the panel."""
    bpy.utils.unregister_class(MotiongenPanel)
