"""``motiongen info CLIP``: describe a clip, in lines or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import arguments
from motiongen.cli.reading import AS_IT_IS, FileOptions

if TYPE_CHECKING:
    from motiongen.motion import Motion


@dataclass(frozen=True, kw_only=True)
class InfoConfig:
    """Describe a clip: skeleton, frames, speed, foot contacts, heights."""

    clip: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CLIP")]
    """Clip to describe."""
    json: bool = False
    """Print one JSON object instead of lines."""
    reading: FileOptions = AS_IT_IS


def main(argv: Sequence[str]) -> None:
    """Print the description of one clip."""
    config = arguments.parse(InfoConfig, argv, "info")
    arguments.check_inputs(config.clip)
    from motiongen.motion import Motion

    facts = describe(Motion.load(config.clip, config.reading))
    if config.json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):<16} {_show(name, value)}")


def describe(motion: "Motion") -> dict[str, object]:
    """Return the facts that ``info`` prints, in metres, seconds, and shares from 0 to 1 for foot contacts."""
    from motiongen.humanoid import humanoid_match

    positions = motion.positions()  # (T, J, 3)
    match = humanoid_match(motion.skeleton)
    # A root above the hips may stay where it is, or go along on the floor.
    hips = motion.skeleton.index(match.roles["pelvis"]) if match.is_humanoid else 0
    root = positions[:, hips][:, [0, 2]]  # (T, 2) on the ground
    steps = (root[1:] - root[:-1]).norm(dim=-1)  # (T - 1,)
    facts: dict[str, object] = {
        "skeleton": f"{motion.skeleton.num_joints} joints, root {motion.skeleton.names[0]}",
        "fps": round(float(motion.fps), 3),
        "frames": motion.num_frames,
        "seconds": round(motion.seconds, 3),
        "metres_walked": round(steps.sum().item(), 3),
        "metres_a_second": round(steps.mean().item() * motion.fps, 3) if len(steps) else 0.0,
        "height_range": [round(positions[..., 1].min().item(), 3), round(positions[..., 1].max().item(), 3)],
    }
    facts["humanoid"] = None
    if match.is_humanoid:
        facts["humanoid"] = {
            "confidence": match.confidence,
            "joints": match.roles,
            "missing": match.missing,
            "left_out": match.left_out,
        }
    return facts | _feet(motion) | ({"licence": motion.licence} if motion.licence else {})


def _feet(motion: "Motion") -> dict[str, object]:
    """Return the share of frames with each foot down, after retargeting to SMPL-22; None without humanoid legs."""
    from motiongen.skeleton import SMPL22

    try:
        body = motion if motion.skeleton.names == SMPL22.names else motion.retarget(SMPL22)
    except ValueError:  # not a humanoid
        return {"left_foot_down": None, "right_foot_down": None}
    contacts = body.grounded().contacts()  # (T, 4): left ankle, left foot, right ankle, right foot
    shares = contacts.reshape(-1, 2, 2).any(dim=-1).float().mean(dim=0)
    return {"left_foot_down": round(shares[0].item(), 3), "right_foot_down": round(shares[1].item(), 3)}


def _show(name: str, value: object) -> str:
    if name == "humanoid":
        return _show_humanoid(value)
    if isinstance(value, list):
        return " to ".join(f"{number:g}" for number in value) + " m"
    if name.endswith("_down"):
        return "unknown: no humanoid legs" if value is None else f"{value:.0%} of frames"
    return str(value)


def _show_humanoid(value: object) -> str:
    """Return in a line how many of SMPL's joints were found, how sure, and what was left out."""
    if not isinstance(value, dict):
        return "no; --mapping FILE names the joints"
    lacking = f", without {', '.join(value['missing'])}" if value["missing"] else ""
    left = value["left_out"]
    more = f"; left out: {', '.join(left[:6])}{' …' if len(left) > 6 else ''}" if left else ""
    return f"{len(value['joints'])} of 22 joints{lacking}, confidence {value['confidence']:.2f}{more}"
