"""``motiongen prepare SOURCE … -o CACHE``: turn motion capture into a training cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from motiongen.cli import UsageError, arguments
from motiongen.cli.progress import bar
from motiongen.cli.reading import AS_IT_IS, FileOptions


def _sources_help() -> str:
    """Return the help of the sources, with the datasets' names from the registry."""
    from motiongen_datasets.registry import DATASETS

    return (
        "A folder of BVH files, with captions from a captions.csv in it if there is one; or a dataset as NAME=FOLDER "
        "or NAME FOLDER. A folder whose own name is a dataset's needs no NAME. "
        f"NAME is one of {', '.join(DATASETS)}."
    )


@dataclass(frozen=True, kw_only=True)
class PrepareConfig:
    """Turn motion capture into a training cache: retargeted, captioned, split, packed."""

    sources: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(metavar="SOURCE …", help=_sources_help(), help_behavior_hint="(required)"),
    ]
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="CACHE")]
    """Folder of the cache; a cache that is there is replaced."""
    workers: int = 0
    """Parallel processes that read clips, or tasks at a time on Ray; 0 for one per core."""
    engine: Literal["local", "ray"] = "local"
    """Where they are read: on this machine, or on a Ray cluster (needs motiongen[ray])."""
    held_out: float = 0.1
    """Share of the clips for the test split, the same clips on every machine; a published split is kept."""
    reading: FileOptions = AS_IT_IS

    def __post_init__(self) -> None:
        if not self.sources:
            raise UsageError(
                "source: expected NAME=FOLDER or a folder, got none; say where the motion capture is"
            )
        if self.workers < 0:
            raise UsageError(f"workers: expected 0 or more, got {self.workers}; 0 is one per core")
        if not 0 <= self.held_out < 1:
            raise UsageError(f"held-out: expected 0 <= part < 1, got {self.held_out}; 0.1 is usual")


def main(argv: Sequence[str]) -> None:
    """Prepare a cache and print what went in and what was left out."""
    config = arguments.parse(PrepareConfig, argv, "prepare")
    arguments.check_new_folder(config.output)
    from motiongen_datasets.prepare import prepare

    with bar("clips") as progress:
        cache = prepare(
            list(config.sources),
            config.output,
            workers=config.workers,
            engine=config.engine,
            held_out=config.held_out,
            options=config.reading if config.reading.is_given else None,
            progress=progress,
        )
    for source, frames in cache.info["frames"].items():
        count = sum(record.source == source for record in cache.records)
        print(f"{source:<16} {count:6d} clips {frames / cache.info['fps'] / 60:8.1f} min")
    for reason, count in cache.info["skipped"].items():
        print(f"left out {count:6d}: {reason}")
    print(config.output)
