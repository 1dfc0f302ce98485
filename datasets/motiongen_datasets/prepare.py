"""Preparation of a training cache: clips are read in parallel, captioned, split and packed."""

import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from motiongen import engines
from motiongen.data.cache import CacheWriter, ClipCache
from motiongen.evaluation.geometry import describe_motion
from motiongen.features import FPS
from motiongen.files import reading
from motiongen.io.delta import pack
from motiongen.io.options import ReadOptions, notes_kept
from motiongen.motion import Motion
from motiongen_datasets.actions import actions
from motiongen_datasets.base import RawClip
from motiongen_datasets.captions import captions_for, known
from motiongen_datasets.registry import ANY_BVH, clips_of, join_names
from motiongen_datasets.tidying import tidied

log = logging.getLogger(__name__)

MIN_FRAMES = 16
"""Shortest clip, about half a second; shorter ones are left out and counted."""
PART = 8
"""Clips that a worker prepares at a time."""
REST_SHARE = 0.25
"""Takes that are at rest for more than this share of their time are counted."""


@dataclass(frozen=True)
class PreparedClip:
    """A clip that is ready to be written, or the reason why it was left out.

    Attributes:
        id: of the clip.
        record: fields of its `ClipRecord`; None for a clip that was left out.
        packed: its motion as bytes.
        reason: why it was left out.
        notes: what the reader guessed of its file.
    """

    id: str
    record: dict[str, Any] | None
    packed: bytes
    reason: str = ""
    notes: tuple[str, ...] = ()


def prepare(
    sources: list[str],
    out: str | Path,
    *,
    workers: int = 0,
    engine: str = "local",
    held_out: float = 0.1,
    options: ReadOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ClipCache:
    """Write a cache of every clip of the sources, and return it, open.

    Args:
        sources: "NAME=FOLDER" or "FOLDER", as `clips_of` takes them, or the two words "NAME", "FOLDER".
        out: folder of the cache; a cache that is there is replaced when the new one is whole.
        workers: parallel processes, or tasks at a time on Ray; 0 for one per core; see `motiongen.engines.opened`.
        engine: "local" or "ray"; nodes of a cluster find the sources at the same paths. The cache is the same.
        held_out: share of the clips for the test split, chosen by a hash of the id: the same on any machine. A split
            that a dataset is published with is kept; a content without a training clip keeps one take for training.
        options: what is known of the files in folders of one's own; what readers guess of them is counted in the log.
        progress: called with (clips done, clips in all).

    Raises:
        ValueError: no clip could be read; the message has the commonest reason. Or options for a published dataset.
        ImportError: Ray is asked for and not installed.
        ChildProcessError: workers died over the same clip again and again.
    """
    clips = [clip for source in join_names(sources) for clip in clips_of(source)]
    if options is not None:
        clips = [_told(clip, options) for clip in clips]
    guessed: Counter[str] = Counter()
    kept: list[PreparedClip] = []
    skipped: Counter[str] = Counter()
    frames: Counter[str] = Counter()
    labels: dict[str, set[str]] = {"content": set(), "style": set()}
    for results in _prepared_by(engine, workers, clips, held_out, progress):
        guessed.update(note for result in results for note in result.notes)
        for result in results:
            if result.record is None:
                skipped[result.reason] += 1
                log.info("left out %s: %s", result.id, result.reason)
                continue
            kept.append(result)
            frames[result.record["source"]] += result.record["num_frames"]
            for name, values in labels.items():
                values.update({result.record[name]} - {None})
    for words, count in guessed.most_common():
        log.info("%d files %s", count, words)
    if not frames:
        reason = skipped.most_common(1)[0][0]
        raise ValueError(
            f"sources: expected clips that can be read, got none of {len(clips)}; most often: {reason}"
        )
    published = {clip.id for clip in clips if clip.split is not None}
    keep_in_training([result.record for result in kept if result.record is not None], published)
    with CacheWriter(out) as writer:
        for result in kept:
            assert result.record is not None
            writer.add(result.record, result.packed)
        writer.close(
            fps=FPS,
            frames=dict(frames),
            licences=sorted({clip.licence for clip in clips}),
            skipped=dict(skipped),
            known=known(labels["content"], labels["style"]),
        )
    return ClipCache.open(out)


class _Preparer:
    """Prepares clips; see `motiongen.engines.Worker`."""

    def __init__(self, held_out: float) -> None:
        self._held_out = held_out

    def run(self, clips: Sequence[RawClip]) -> list[list[PreparedClip]]:
        """Return what each of some clips becomes."""
        return [prepare_actions(clip, self._held_out) for clip in clips]

    def close(self) -> None:
        """Release nothing."""


def _prepared_by(
    engine: str,
    workers: int,
    clips: Sequence[RawClip],
    held_out: float,
    progress: Callable[[int, int], None] | None,
) -> Iterator[list[PreparedClip]]:
    """Yield what each clip becomes, in the order of the clips."""
    parts = [clips[start : start + PART] for start in range(0, len(clips), PART)]
    done = 0
    with engines.opened(engine, partial(_Preparer, held_out), workers, len(parts)) as run:
        for results in engines.in_order(run(parts)):
            yield from results
            done += len(results)
            if progress is not None:
                progress(done, len(clips))


def _told(clip: RawClip, options: ReadOptions) -> RawClip:
    """Return a clip of a user's own files that is read as the options say."""
    if clip.source != ANY_BVH:
        raise ValueError(
            f"{clip.source}: expected no options for a published dataset, whose files are known; leave them out"
        )
    return replace(clip, load=partial(clip.load, options=options))  # type: ignore[call-arg]  # of bvh_folder


def keep_in_training(records: list[dict[str, Any]], published: Set[str] = frozenset()) -> None:
    """Move the first take of each content without a training clip to training, with all clips cut from it.

    Args:
        records: of the clips; their splits are changed in place.
        published: ids of takes whose split is published, and stays.
    """
    trained = {record["content"] for record in records if record["split"] == "train"}
    for record in records:
        take = take_of(record["id"])
        if record["content"] is not None and record["content"] not in trained and take not in published:
            for other in records:
                if take_of(other["id"]) == take:
                    other["split"] = "train"
                    trained.add(other["content"])


def take_of(clip_id: str) -> str:
    """Return the id of the take that a clip is a piece of, or its own."""
    return clip_id.rpartition("#")[0] or clip_id


def prepare_actions(clip: RawClip, held_out: float = 0.1) -> list[PreparedClip]:
    """Return the clips that a clip becomes: a take is cut into actions; what is left out comes with its reason."""
    try:
        with reading(clip.id, "a clip that can be used"), notes_kept() as notes:
            results = (
                _prepare_take(clip, held_out) if clip.is_take else [_prepared(clip, _read(clip), held_out)]
            )
        if clip.source == ANY_BVH and notes:
            results[0] = replace(results[0], notes=tuple(notes))
        return results
    except (ValueError, OSError) as error:
        return [PreparedClip(clip.id, None, b"", str(error).removeprefix(f"{clip.id}: ").splitlines()[0])]


def _prepare_take(clip: RawClip, held_out: float) -> list[PreparedClip]:
    motion = _read(clip)
    pieces = actions(motion, clip.labels)
    results = []
    for piece in pieces:
        clip_id = clip.id if len(pieces) == 1 else f"{clip.id}#{piece.start}"
        meta = clip.meta | {"start": f"{piece.start / FPS:.2f}"}
        part = replace(clip, id=clip_id, labels=piece.labels, meta=meta, split=_split(clip, held_out))
        results.append(_prepared(part, piece.motion, held_out))
    left = motion.num_frames - sum(piece.motion.num_frames for piece in pieces)
    if left > REST_SHARE * motion.num_frames:
        results.append(
            PreparedClip(clip.id, None, b"", f"over {REST_SHARE:.0%} of a take at rest: that part of it")
        )
    return results


def prepare_clip(clip: RawClip, held_out: float = 0.1) -> PreparedClip:
    """Return one clip, whole: read, tidied, captioned and packed, or the reason why it cannot be used.

    Args:
        clip: the clip.
        held_out: share of the clips for the test split.
    """
    return prepare_actions(replace(clip, is_take=False), held_out)[0]


def _read(clip: RawClip) -> Motion:
    """Return a clip's motion at 30 fps. Raises ValueError with the reason why it cannot be used."""
    motion = tidied(clip.load().resample(FPS))
    if motion.num_frames < MIN_FRAMES:
        raise ValueError(f"under {MIN_FRAMES} frames")
    return motion


def _prepared(clip: RawClip, motion: Motion, held_out: float) -> PreparedClip:
    captions = captions_for(clip.labels, describe_motion(motion))
    record = {
        "id": clip.id,
        "source": clip.source,
        "licence": clip.licence,
        "split": _split(clip, held_out),
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


def _split(clip: RawClip, held_out: float) -> str:
    """Return the published split, or "train" or "test" by a hash of the clip's id."""
    is_test = zlib.crc32(clip.id.encode()) % 10_000 < held_out * 10_000
    return clip.split or ("test" if is_test else "train")
