"""The message "hello", a server's first: skeleton, frame rate, verbs, limits (PROTOCOL.md)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import motiongen
from motiongen.contacts import CONTACT_JOINTS
from motiongen.streaming.scheduler_protocol import Scheduler
from motiongen_bridge.avatars import Avatar
from motiongen_bridge.frames import FORMATS
from motiongen_bridge.limits import ServerLimits
from motiongen_bridge.sessions import RESUME_SECONDS


def hello_message(
    scheduler: Scheduler, limits: ServerLimits, avatars: Mapping[str, Avatar]
) -> dict[str, Any]:
    """Return the message without `session` and `time`, which differ between connections.

    Args:
        scheduler: has the characters; it must be started, because only then its delays are known.
        limits: limits of the server.
        avatars: name -> avatar.
    """
    skeleton, about = scheduler.skeleton, scheduler.about
    return {
        "type": "hello",
        "version": 1,
        "server": f"motiongen {motiongen.__version__}",
        "fps": scheduler.fps,
        "skeleton": {
            "names": list(skeleton.names),
            "parents": list(skeleton.parents),
            "offsets": [[round(float(x), 6) for x in row] for row in skeleton.offsets],
            "root": skeleton.names[0],
        },
        "contacts": list(CONTACT_JOINTS),
        "units": {
            "length": "metre",
            "angle": "radian",
            "time": "microsecond",
            "axes": "+Y up, +Z forward",
        },
        "verbs": list(scheduler.verbs),
        "formats": list(FORMATS),
        "limits": asdict(limits),
        "resume_seconds": RESUME_SECONDS,
        **({"avatars": [avatar.entry for avatar in avatars.values()]} if avatars else {}),
        "weights": {"name": about.get("name", ""), "licence": about.get("licence", "")},
        **scheduler.describe(),
    }
