"""Preparation of a training cache: clips are read in parallel, captioned, split and packed."""

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

from motiongen.data.cache import CacheWriter, ClipCache
from motiongen.evaluation.geometry import describe_motion
from motiongen.features import FPS
from motiongen.io.delta import pack
from motiongen_datasets.base import RawClip
from motiongen_datasets.captions import captions_for, known
from motiongen_datasets.registry import clips_of, join_names

log = logging.getLogger(__name__)

MIN_FRAMES = 16
"""Shortest clip, about half a second; shorter ones are left out and counted."""


@dataclass(frozen=True)
class PreparedClip:
    """A clip that is ready to be written, or the reason why it was left out.

    Attributes:
        id: of the clip.
        record: fields of its `ClipRecord`; None for a clip that was left out.
        packed: its motion as bytes.
        reason: why it was left out.
    """

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
    """Write a cache of every clip of the sources, and return it, open.

    Args:
        sources: "NAME=FOLDER" or "FOLDER", as `clips_of` takes them, or the two words "NAME", "FOLDER".
        out: folder of the cache; a cache that is there is replaced.
        workers: parallel processes; 0 for one per core.
        held_out: share of the clips for the test split, chosen by a hash of the id: the same on any machine. A split
            that a dataset is published with is kept.
        progress: called with (clips done, clips in all).

    Raises:
        ValueError: no clip could be read; the message has the commonest reason.
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


def prepare_clip(clip: RawClip, held_out: float = 0.1) -> PreparedClip:
    """Return one clip, read, resampled, captioned and packed, or the reason why it cannot be used.

    Args:
        clip: the clip.
        held_out: share of the clips for the test split.
    """
    try:
        motion = clip.load().resample(FPS)
    except (ValueError, OSError) as error:
        return PreparedClip(clip.id, None, b"", str(error).splitlines()[0])
    if motion.num_frames < MIN_FRAMES:
        return PreparedClip(clip.id, None, b"", f"under {MIN_FRAMES} frames")
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
    return PreparedClip(clip.id, record, pack(motion.rotations, motion.root))


def _split(clip_id: str, held_out: float) -> str:
    """Return "train" or "test" by a hash of the clip's id."""
    return "test" if zlib.crc32(clip_id.encode()) % 10_000 < held_out * 10_000 else "train"


def _map(
    function: Callable[[RawClip], PreparedClip], clips: list[RawClip], workers: int
) -> Iterator[PreparedClip]:
    """Yield the results in the order of the clips, from parallel processes unless there is one worker."""
    workers = min(workers or os.cpu_count() or 1, len(clips))
    if workers == 1:
        yield from map(function, clips)
        return
    # Spawned, not forked: a fork after OpenMP threads have run can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(function, clips, chunksize=8)
