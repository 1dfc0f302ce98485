"""``motiongen remember SOURCE … -o MEMORY``: clips become a memory that answers to words, without training."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from motiongen.cli import UsageError, arguments

if TYPE_CHECKING:
    from motiongen.data.cache import ClipCache


@dataclass(frozen=True, kw_only=True)
class RememberConfig:
    """Make a memory of clips with captions: what `generate --memory` and the others read beside a prompt."""

    sources: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(metavar="SOURCE …", help_behavior_hint="(required)"),
    ]
    """A folder of clips with a captions.csv, a dataset as NAME=FOLDER (see motiongen prepare), or a prepared cache."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="MEMORY")]
    """Folder of the memory; a memory that is there is replaced."""
    weights: arguments.Weights = "open"
    clips_per_caption: Annotated[int, tyro.conf.arg(metavar="K")] = 0
    """Most clips with the same first caption; 0 for all."""
    captions_per_clip: Annotated[int, tyro.conf.arg(metavar="K")] = 0
    """Most captions of a clip; 0 for all."""
    without: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME …", help_behavior_hint="(optional)")] = ()
    """Sources that are left out, by name, such as rocketbox."""
    workers: int = 0
    """Parallel processes that read clips; 0 for one per core."""
    device: arguments.Device = "auto"
    """Device of the models."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise UsageError(
                "source: expected a folder of clips or a cache, got none; say where the clips are"
            )
        for name in ("clips_per_caption", "captions_per_clip", "workers"):
            if getattr(self, name) < 0:
                option = name.replace("_", "-")
                raise UsageError(f"{option}: expected 0 or more, got {getattr(self, name)}; 0 is the default")


def main(argv: Sequence[str]) -> None:
    """Run ``motiongen remember``."""
    config = arguments.parse(RememberConfig, argv, "remember")
    arguments.check_new_folder(config.output)
    device = arguments.resolve_device(config.device)
    from motiongen.atomic import AtomicFolder
    from motiongen.data import memory_files
    from motiongen.inference.load import load_words, only_head, reads_memory
    from motiongen.inference.remember import remember

    model = load_words(only_head(config.weights, "words"), config.weights, device, memory="0")
    if not reads_memory(model.head):
        raise UsageError(
            f"weights: expected a set whose heads read a memory, got {config.weights}; take open"
        )
    work = AtomicFolder(config.output / "clips")  # never there, but what a kill leaves the next run removes
    try:
        cache = _cache(config, work.part)
        memory = remember(
            cache.without(config.without) if config.without else cache,
            model.tokenizer,
            model.text,
            clips_per_caption=config.clips_per_caption,
            captions_per_clip=config.captions_per_clip,
        )
        memory_files.save(memory, config.output)
    finally:
        work.discard()
        with contextlib.suppress(OSError):
            config.output.rmdir()  # where nothing was written, and nothing else is there
    print(f"{len(memory)} clips, {len(memory.sentences)} sentences")
    print(config.output)


def _cache(config: RememberConfig, folder: Path) -> "ClipCache":
    """Return the prepared cache that the sources are, or one made of them in a folder."""
    from motiongen.data.cache import ClipCache

    if len(config.sources) == 1 and (Path(config.sources[0]) / "index.json").is_file():
        return ClipCache.open(config.sources[0])
    from motiongen_datasets.prepare import prepare

    return prepare(list(config.sources), folder / "cache", workers=config.workers, held_out=0.0)
