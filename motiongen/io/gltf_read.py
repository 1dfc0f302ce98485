"""Animated glTF files to motions: the joints of the skin, every animation sampled at one rate."""

import logging
import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen import limits
from motiongen.files import reading
from motiongen.io.gltf_container import GltfReader
from motiongen.io.gltf_nodes import NodeTree
from motiongen.io.key_rate import rate_of
from motiongen.io.options import note
from motiongen.io.units import note_size
from motiongen.motion import Motion
from motiongen.rotation import quat_multiply, quat_normalize, quat_rotate, quat_slerp, quat_unroll
from motiongen.skeleton import Skeleton, moved_offsets

log = logging.getLogger(__name__)


def read(
    path: str | Path,
    *,
    animation: str | None = None,
    fps: float | None = None,
    character_index: int | None = None,
) -> Motion:
    """Return an animation of a file as a motion.

    Args:
        path: a .glb or .gltf.
        animation: name of the animation; the only one if None.
        fps: rate to sample at; if None the file's own, which its key times tell.
        character_index: number of the character in a file of several, from 0; the first that moves if None.

    Raises:
        ValueError: the file is broken, holds no such animation or character, or several animations and none is named.
    """
    with _reading(path):
        reader = GltfReader(path)
        items = _catalogue(reader)
        names = ", ".join(items)
        if animation is None and len(items) > 1:
            raise ValueError(
                f"{path}: expected one animation, got {len(items)}; choose with --animation, one of {names}"
            )
        name = next(iter(items)) if animation is None else animation
        if name not in items:
            raise ValueError(f"animation: expected one of {names}, got {name!r}; choose one that {path} has")
        tree = NodeTree(reader, character_index, _moving([items[name]]))
        note_size(path, tree.skeleton)
        return _motion(reader, tree, items[name], fps)


def read_animations(
    path: str | Path, *, fps: float | None = None, character_index: int | None = None
) -> dict[str, Motion]:
    """Return every animation of a file by name, in the file's order.

    The skeleton has the joints of the character's skins (without a skin, the animated nodes). The nodes above them are
    folded into the root, whose path then is in the world, and static scales into the bones; animated scales are left
    out, with a log entry. Time begins at an animation's first key.

    Args:
        path: a .glb or .gltf.
        fps: rate to sample at; if None the file's own, which its key times tell.
        character_index: number of the character in a file of several, from 0; the first that moves if None.

    Raises:
        ValueError: the file is broken or holds no animation.
    """
    with _reading(path):
        reader = GltfReader(path)
        items = _catalogue(reader)
        tree = NodeTree(reader, character_index, _moving(list(items.values())))
        return {name: _motion(reader, tree, item, fps) for name, item in items.items()}


def animations(path: str | Path) -> tuple[str, ...]:
    """Return the names of the animations in a file.

    Raises:
        ValueError: the file is broken or holds no animation.
    """
    with _reading(path):
        return tuple(_catalogue(GltfReader(path)))


def skeleton_of(path: str | Path) -> Skeleton:
    """Return the skeleton of a file's skin, animated or not.

    Raises:
        ValueError: the file is broken or has neither a skin nor an animation.
    """
    with _reading(path):
        return NodeTree(GltfReader(path)).skeleton


def _reading(path: str | Path) -> AbstractContextManager[None]:
    return reading(path, "glTF 2.0 with well-formed nodes, skins and animations")


def _moving(items: list[dict[str, Any]]) -> set[int]:
    """Return the nodes that animations turn or move."""
    channels = [channel["target"] for item in items for channel in item["channels"]]
    return {t["node"] for t in channels if "node" in t and t.get("path") in ("rotation", "translation")}


def _catalogue(reader: GltfReader) -> dict[str, dict[str, Any]]:
    """Return the file's animations by name; those without a name, or with one that is taken, are numbered."""
    found: dict[str, dict[str, Any]] = {}
    for number, item in enumerate(reader.items("animations")):
        name = str(item.get("name") or f"animation{number}")
        found[name if name not in found else f"{name}.{number}"] = item
    if not found:
        raise ValueError(
            f"{reader.path}: expected an animation, got none; export the file with its animations, "
            "or give it as --character, whom a clip moves"
        )
    return found


def _motion(reader: GltfReader, tree: NodeTree, item: dict[str, Any], fps: float | None) -> Motion:
    skeleton = tree.skeleton
    tracks = _tracks(reader, tree, item)
    extras = item["extras"] if isinstance(item.get("extras"), dict) else {}
    if fps is None:
        fps = _own_rate(reader, item, tracks)
    starts, stops = (
        [track.times[0] for track in tracks.values()],
        [track.times[-1] for track in tracks.values()],
    )
    start, stop = (min(starts), max(stops)) if tracks else (0.0, 0.0)
    limits.check_fps(fps)
    count = math.floor((stop - start) * fps + 1e-3) + 1
    limits.check_poses(
        count, len(tree.joints), limits.POSES_PER_NUMBER * sum(t.values.numel() for t in tracks.values())
    )
    times = start + np.arange(count) / fps
    rotations, positions = [], []
    for node in tree.joints:
        rest, offset = tree.local(node)
        rotations.append(_sampled(tracks, (node, "rotation"), times, rest, tree))
        positions.append(
            _sampled(tracks, (node, "translation"), times, offset, tree) * tree.scale_above[node]
        )
    rotation, root = rotations[0], positions[0]
    for node in tree.above:  # from the root's parent to the scene
        rest, offset = tree.local(node)
        above = _sampled(tracks, (node, "rotation"), times, rest, tree)
        rotation, root = quat_multiply(above, rotation), quat_rotate(above, root)
        root = root + _sampled(tracks, (node, "translation"), times, offset, tree) * tree.scale_above[node]
    rotations[0] = rotation
    translations = torch.stack(positions, dim=1).float()  # (T, J, 3)
    translations[:, 0] = 0.0
    return Motion(
        skeleton=skeleton,
        rotations=quat_unroll(quat_normalize(torch.stack(rotations, dim=1))).float(),
        root=root.float(),
        fps=fps,
        translations=moved_offsets(translations, skeleton.offsets),
        licence=licence if isinstance(licence := extras.get("licence"), str) else "",
    )


class _Track:
    """The keys of one property of one node."""

    def __init__(
        self, reader: GltfReader, sampler: dict[str, Any], width: int, known: dict[int, NDArray[np.float64]]
    ) -> None:
        key = sampler["input"]
        if key not in known:  # most tracks share their key times
            known[key] = reader.accessor(key)[:, 0].astype(np.float64)
        self.times: NDArray[np.float64] = known[key]
        self.kind = sampler.get("interpolation", "LINEAR")
        if self.kind not in ("STEP", "LINEAR", "CUBICSPLINE"):
            raise reader.broken("interpolation STEP, LINEAR or CUBICSPLINE", repr(self.kind))
        values = reader.accessor(sampler["output"]).astype(np.float64)
        per_key = 3 if self.kind == "CUBICSPLINE" else 1
        count = len(self.times)
        if values.shape != (count * per_key, width) or count == 0:
            raise reader.broken(f"{count * per_key} values of {width} for {count} keys", str(values.shape))
        if not (
            np.isfinite(self.times).all() and np.isfinite(values).all() and (np.diff(self.times) >= 0).all()
        ):
            raise reader.broken("finite values and rising key times", "NaN, infinity or a step back")
        self.values = torch.from_numpy(values.reshape(count, per_key, width))
        if width == 4 and not bool((self.values[:, per_key // 2].norm(dim=-1) > 0).all()):
            raise reader.broken("rotations that are quaternions", "one of length 0")

    def at(self, times: NDArray[np.float64]) -> Tensor:
        """Return the values (T, width) at times in seconds; outside the keys, those of the first or last one."""
        last = len(self.times) - 1
        low = np.clip(np.searchsorted(self.times, times + 1e-9, side="right") - 1, 0, last)
        high = np.minimum(low + 1, last)
        span = self.times[high] - self.times[low]
        share = np.clip((times - self.times[low]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
        part, length = torch.from_numpy(share)[:, None], torch.from_numpy(span)[:, None]
        middle = 1 if self.kind == "CUBICSPLINE" else 0
        start, end = self.values[low, middle], self.values[high, middle]
        if self.kind == "STEP":
            return torch.where(part >= 1.0, end, start)
        if self.kind == "CUBICSPLINE":
            return _hermite(start, end, self.values[low, 2] * length, self.values[high, 0] * length, part)
        if start.shape[-1] == 4:
            return quat_slerp(quat_normalize(start), quat_normalize(end), part[:, 0])
        return start + part * (end - start)


def _hermite(start: Tensor, end: Tensor, leaving: Tensor, arriving: Tensor, t: Tensor) -> Tensor:
    """Return the cubic spline between two values with tangents scaled by the span (glTF 2.0, appendix C)."""
    t2, t3 = t * t, t * t * t
    return (
        (2 * t3 - 3 * t2 + 1) * start
        + (t3 - 2 * t2 + t) * leaving
        + (3 * t2 - 2 * t3) * end
        + (t3 - t2) * arriving
    )


def _tracks(reader: GltfReader, tree: NodeTree, item: dict[str, Any]) -> dict[tuple[int, str], _Track]:
    """Return the animation's tracks of the joints and the nodes above them, by (node, property)."""
    tracks = {}
    known: dict[int, NDArray[np.float64]] = {}
    wanted = {*tree.joints, *tree.above}
    scaled = 0
    for channel in item["channels"]:
        node, path = channel["target"].get("node"), channel["target"].get("path")
        if node not in wanted or path not in ("rotation", "translation", "scale"):
            continue
        if path == "scale":
            values = reader.accessor(item["samplers"][channel["sampler"]]["output"])
            scaled += bool(np.ptp(values, axis=0).max(initial=0.0) > 1e-3)
            continue
        tracks[node, path] = _Track(
            reader, item["samplers"][channel["sampler"]], 4 if path == "rotation" else 3, known
        )
    if scaled:
        log.info("%s: %s: animated scales of %d joints left out", reader.path, item.get("name"), scaled)
    return tracks


def _own_rate(reader: GltfReader, item: dict[str, Any], tracks: dict[tuple[int, str], "_Track"]) -> float:
    """Return the rate of an animation: as motiongen wrote it, else as the keys of its joints lie in time."""
    extras = item.get("extras")
    own = extras.get("fps") if isinstance(extras, dict) else None
    if isinstance(own, int | float) and 0 < own < 1000:
        return float(own)
    distinct = {id(track.times): track.times for track in tracks.values()}
    rate, is_told = rate_of(list(distinct.values()))
    if not is_told:
        note(
            reader.path,
            f"sampled at {rate:g} frames a second, for its keys are at no rate; --fps says otherwise",
        )
    return rate


def _sampled(
    tracks: dict[tuple[int, str], _Track],
    key: tuple[int, str],
    times: NDArray[np.float64],
    rest: Tensor,
    tree: NodeTree,
) -> Tensor:
    """Return the values (T, width) of a track, or the rest value where there is none."""
    if key not in tracks:
        return rest.expand(len(times), -1)
    values = tracks[key].at(times)
    if key[1] != "rotation":
        return values
    values = quat_normalize(values)
    return quat_multiply(values, tree.flip(key[0])) if tree.is_flipped(key[0]) else values
