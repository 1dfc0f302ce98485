"""generate_many: thousands of sentences into a folder of clips, by processes of this machine or on Ray."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from motiongen import engines
from motiongen.atomic import atomic_path
from motiongen.conditions.prompt import normalise_prompt
from motiongen.files import read_json
from motiongen.inference.generate import variants
from motiongen.inference.weight_sets import from_anywhere
from motiongen.io import writable
from motiongen.version import __version__

TABLE, RECORD = "captions.csv", "generated.json"
"""Files beside the clips: their sentences, as `motiongen prepare` reads them; and what they were generated with."""
MAX_COUNT = 1000


class ClipMaker:
    """Generates the clips of a sentence as files; see `motiongen.engines.Worker`.

    Args:
        count: variants of the sentence.
        options: of `variants`.
    """

    def __init__(self, count: int, options: Mapping[str, Any]) -> None:
        self.count, self.options = count, dict(options)

    def run(self, task: tuple[str, int, Sequence[str]]) -> list[bytes]:
        """Return the bytes of the files of a sentence, by (sentence, seed, names of the files)."""
        sentence, seed, names = task
        found = []
        with TemporaryDirectory() as folder:
            for made, name in zip(
                variants(sentence, count=self.count, seed=seed, **self.options), names, strict=True
            ):
                made.motion.save(Path(folder) / name)
                found.append((Path(folder) / name).read_bytes())
        return found

    def close(self) -> None:
        """Release nothing: models stay for the next time."""


def generate_many(
    prompts: Sequence[str],
    folder: str | Path,
    *,
    file_format: str = "bvh",
    count: int = 1,
    seed: int = 0,
    engine: str = "local",
    workers: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> list[Path]:
    """Generate a clip, or several, of each of many sentences, as files in a folder; return their paths.

    The files of sentence i, counted from 0, are those of `generate(sentence, seed=seed + i * count)` and the variants
    after it, with any engine and number of workers. Where some are there already, the others are made. The sentences
    are in captions.csv, so that a folder of BVH is one that `motiongen prepare` takes.

    Args:
        prompts: the sentences.
        folder: created if missing; it may hold a part of the same clips, or those of the first of the sentences.
        file_format: extension of a format of `motiongen.io.FORMATS` that is written, without the dot.
        count: variants of each sentence.
        seed: of the first one.
        engine: "local" or "ray"; nodes of a cluster find weights that are folders at the same paths.
        workers: see `motiongen.engines.opened`; each has the model in memory.
        on_progress: called with (clips that are there, clips in all).
        options: as of `motiongen.generate`: head, weights, seconds and so on, numbers and names.

    Raises:
        ValueError: no sentence or an empty one, no such format, or a folder with clips of other options.
        ImportError: Ray is asked for and not installed.
        ChildProcessError: workers died over the same sentence again and again.
    """
    folder, prompts = Path(folder), list(prompts)
    for name in {"weights", "memory"} & options.keys():
        options[name] = None if options[name] is None else from_anywhere(options[name])
    _check(prompts, file_format, count)
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"format": file_format, "count": count, "seed": seed, **options, "version": __version__}
    _keep_record(folder / RECORD, {key: str(value) for key, value in facts.items()}, prompts)
    names = [_names(number, count, file_format) for number in range(len(prompts))]
    tasks = [
        (prompt, seed + number * count, names[number])
        for number, prompt in enumerate(prompts)
        if not all((folder / name).is_file() for name in names[number])
    ]
    done, total = count * (len(prompts) - len(tasks)), count * len(prompts)
    if tasks:
        with engines.opened(engine, partial(ClipMaker, count, options), workers, len(tasks)) as run:
            for index, files in run(tasks):
                for name, content in zip(tasks[index][2], files, strict=True):
                    with atomic_path(folder / name) as part:
                        part.write_bytes(content)
                done += count
                if on_progress is not None:
                    on_progress(done, total)
    _write_table(folder / TABLE, names, prompts)
    return [folder / name for each in names for name in each]


def _check(prompts: Sequence[str], file_format: str, count: int) -> None:
    if not prompts:
        raise ValueError("prompts: expected a sentence, got none; say what happens, one a line")
    for number, prompt in enumerate(prompts, start=1):
        try:
            normalise_prompt(prompt)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    if f".{file_format}" not in writable():
        known = " ".join(extension.removeprefix(".") for extension in writable())
        raise ValueError(f"format: expected one of {known}, got {file_format!r}; bvh is a dataset, too")
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"count: expected 1 to {MAX_COUNT} variants, got {count}")


def _keep_record(path: Path, facts: Mapping[str, str], prompts: Sequence[str]) -> None:
    """Write what the clips of a folder are generated with. Raises ValueError where it has clips of anything else."""
    if path.is_file():
        old = read_json(path)
        before = old.get("options", {})
        for name in sorted(before.keys() | facts.keys()):
            if before.get(name) != facts.get(name):
                raise ValueError(
                    f"{path.parent}: expected clips with {name} {facts.get(name)}, got some with {before.get(name)}; "
                    "give another folder, or the same options to go on"
                )
        held = old.get("prompts", [])
        if list(prompts[: len(held)]) != held:
            raise ValueError(
                f"{path.parent}: expected the {len(held)} sentences whose clips it holds to come first, got others; "
                "give another folder, or add sentences at the end"
            )
    with atomic_path(path) as part:
        record = {"options": dict(facts), "prompts": list(prompts)}
        part.write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")


def _names(number: int, count: int, file_format: str) -> list[str]:
    """Return the file names of a sentence: 00001.bvh, or 00001-1.bvh, 00001-2.bvh and so on."""
    stem = f"{number + 1:05d}"
    if count == 1:
        return [f"{stem}.{file_format}"]
    return [f"{stem}-{variant}.{file_format}" for variant in range(1, count + 1)]


def _write_table(path: Path, names: Sequence[Sequence[str]], prompts: Sequence[str]) -> None:
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "caption"])
        for each, prompt in zip(names, prompts, strict=True):
            table.writerows([name, prompt] for name in each)
