"""motiongen for Blender: a character of a motiongen server, live on an armature."""

from . import operators, panel, properties


def register() -> None:
    """Make panel, operators and properties known."""
    properties.register()
    operators.register()
    panel.register()


def unregister() -> None:
    """Hang up, and forget panel, operators and properties."""
    panel.unregister()
    operators.unregister()
    properties.unregister()
