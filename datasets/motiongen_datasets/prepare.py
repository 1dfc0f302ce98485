"""From folders of motion data to a training cache: read in parallel, captioned, split, packed."""

import logging
import multiprocessing
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from motiongen.evaluation.geometry import describe_motion
from motiongen.features import FPS
from motiongen.io.delta import pack
from motiongen.training.cache import CacheWriter, ClipCache
from motiongen_datasets.base import RawClip
from motiongen_datasets.captions import captions_for, known
from motiongen_datasets.registry import clips_of, join_names
from motiongen_datasets.tidying import tidied

log = logging.getLogger(__name__)

MIN_FRAMES = 16
"""Clips under half a second teach nothing: left out, and counted."""


@dataclass(frozen=True)
class Prepared:
    """A clip, ready to be written, or the reason why it was left out."""

    id: str
    record: dict[str, Any] | None
    packed: bytes
    reason: str = ""


def prepare(
    sources: list[str],
    out: str | Path,
    *,
    workers: int = 0,
    held_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> ClipCache:
    """Read every clip of the sources, write a cache, and return it, open.

    Args:
        sources: "NAME=FOLDER", "NAME", "FOLDER", or folders; see motiongen_datasets.clips_of.
        out: folder of the cache; a cache that is there is replaced.
        workers: processes that read; 0 for one a core.
        held_out: part of the clips that goes to the test split, chosen by a hash of the id: the same on any machine.
            A split that a dataset was published with is kept.
        progress: called with (done, of all).

    Raises:
        ValueError: no clip could be read; the message gives the commonest reason.
    """
    clips = [clip for source in join_names(sources) for clip in clips_of(source)]
    writer = CacheWriter(out)
    skipped: Counter[str] = Counter()
    frames: Counter[str] = Counter()
    labels: dict[str, set[str]] = {"content": set(), "style": set()}
    for done, result in enumerate(_map(partial(prepare_clip, held_out=held_out), clips, workers), start=1):
        if result.record is None:
            skipped[result.reason] += 1
            log.info("left out %s: %s", result.id, result.reason)
        else:
            writer.add(result.record, result.packed)
            frames[result.record["source"]] += result.record["num_frames"]
            for name, values in labels.items():
                values.update({result.record[name]} - {None})
        if progress is not None:
            progress(done, len(clips))
    if not frames:
        reason = skipped.most_common(1)[0][0]
        raise ValueError(
            f"sources: expected clips that can be read, got none of {len(clips)}; most often: {reason}"
        )
    writer.close(
        fps=FPS,
        frames=dict(frames),
        licences=sorted({clip.licence for clip in clips}),
        skipped=dict(skipped),
        known=known(labels["content"], labels["style"]),
    )
    return ClipCache.open(out)


def prepare_clip(clip: RawClip, held_out: float = 0.1) -> Prepared:
    """Read, resample, caption and pack one clip; a clip that cannot be used comes back with its reason."""
    try:
        motion = tidied(clip.load().resample(FPS))
    except (ValueError, OSError) as error:
        return Prepared(clip.id, None, b"", str(error).splitlines()[0])
    if motion.num_frames < MIN_FRAMES:
        return Prepared(clip.id, None, b"", f"under {MIN_FRAMES} frames")
    captions = captions_for(clip.labels, describe_motion(motion))
    record = {
        "id": clip.id,
        "source": clip.source,
        "licence": clip.licence,
        "split": clip.split or _split(clip.id, held_out),
        "num_frames": motion.num_frames,
        "captions": captions.train,
        "held_out_captions": captions.held_out,
        "mirrored_captions": captions.mirrored_train,
        "mirrored_held_out_captions": captions.mirrored_held_out,
        "content": captions.content,
        "style": captions.style,
        "meta": clip.meta,
    }
    return Prepared(clip.id, record, pack(motion.rotations, motion.root))


def _split(clip_id: str, held_out: float) -> str:
    return "test" if zlib.crc32(clip_id.encode()) % 10_000 < held_out * 10_000 else "train"


def _map(function: Callable[[RawClip], Prepared], clips: list[RawClip], workers: int) -> Iterator[Prepared]:
    workers = min(workers or os.cpu_count() or 1, len(clips))
    if workers == 1:
        yield from map(function, clips)
        return
    # Spawned, not forked: a fork after OpenMP threads have run can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(function, clips, chunksize=8)
