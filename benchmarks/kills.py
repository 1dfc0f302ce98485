"""Commands killed at random moments: what they wrote is the old or the new, and the next run leaves nothing hidden.

python -m benchmarks.kills [--moments 60] [--seed 0] [--commands prepare train …]

Each command runs over an output that is there, in a process of its own, forked from this one so that it does not load
the libraries again. Half of the moments are drawn from the whole run; the other half begin when a hidden file is there,
which is when something is being written. Then the output is read; the command runs again, to its end; and no name in
the folder may begin with a dot.
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motiongen import checkpoint
from motiongen.cli import main as motiongen
from motiongen.data import memory_files
from motiongen.data.cache import ClipCache, write_cache
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.state import STATE
from motiongen_datasets import lerobot
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble

ABSENT = ("absent",)
"""What is read where nothing is."""
WITHIN = 0.01
"""Seconds after a hidden file appeared in which a command is killed."""


@dataclass(frozen=True)
class Command:
    """A command under test.

    Attributes:
        name: of the command.
        prepare: writes the inputs into a folder.
        argv: the words of the run in the folder, of the old output (0) or of the new one (1).
        read: returns what is in the output, a digest for each part that is replaced on its own; raises for a mixture.
        has_old: whether the command writes over an old output.
        passes: whether it writes more outputs than its last, as a training does; each must be whole.
    """

    name: str
    prepare: Callable[[Path], object]
    argv: Callable[[Path, int], list[str]]
    read: Callable[[Path], tuple[str, ...]]
    has_old: bool = True
    passes: bool = False


def run(command: Command, moments: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Kill a command at random moments; return the counts of what was found, and a line for each fault.

    Args:
        command: the command.
        moments: number of kills.
        seed: of the moments.
        folder: an empty one, on the disk that is tested.
    """
    command.prepare(folder)
    with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        motiongen(command.argv(folder, 0))  # what it loads and keeps, the forks have
    outputs, seconds = [], 0.0
    for version in (0, 1):
        if not command.has_old:
            shutil.rmtree(folder / "out", ignore_errors=True)
        seconds = _finish(_start(command.argv(folder, version)))
        outputs.append(command.read(folder))
    if not command.has_old:
        outputs[0] = ABSENT
    counts, faults, rng = Counter[str](), [], np.random.default_rng(seed)
    for moment in range(moments):
        shutil.rmtree(folder / "out", ignore_errors=True)
        if command.has_old:
            _finish(_start(command.argv(folder, 0)))
        child = _start(command.argv(folder, 1))
        if moment % 2:
            _wait_for_hidden(folder, child, 2 * seconds)
            time.sleep(rng.uniform(0, WITHIN))
        else:
            time.sleep(rng.uniform(0, seconds))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        was_killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        counts["killed" if was_killed else "finished"] += 1
        counts["half-written"] += bool(_hidden(folder))
        try:
            counts[_kind(command, command.read(folder), *outputs)] += 1
        except (ValueError, OSError) as error:
            counts["mixture"] += 1
            faults.append(f"{command.name} moment {moment}: {error}")
        if not command.has_old:
            shutil.rmtree(folder / "out", ignore_errors=True)
        _finish(_start(command.argv(folder, 1)))
        if left := _hidden(folder):
            counts["left"] += 1
            faults.append(f"{command.name} moment {moment}: left over: {left}")
        if command.read(folder) != outputs[1]:
            counts["mixture"] += 1
            faults.append(f"{command.name} moment {moment}: the next run wrote something else")
    return counts, faults


def _kind(command: Command, found: tuple[str, ...], old: tuple[str, ...], new: tuple[str, ...]) -> str:
    """Return whether an output is the old, the new, or parts of each. Raises ValueError for another."""
    if found in (old, new):
        return "old" if found == old else "new"
    parts = zip(found, old, new, strict=len(old) == len(new))
    if command.passes or (len(found) == len(new) and all(part in (a, b) for part, a, b in parts)):
        return "between"
    raise ValueError(f"expected {old} or {new}, got {found}")


def _start(argv: Sequence[str]) -> int:
    """Start a command in a process of its own; return its id."""
    child = os.fork()
    if child:
        return child
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    code = 1
    try:
        code = motiongen(list(argv))
    finally:
        os._exit(code)


def _finish(child: int) -> float:
    """Wait for a command; return its seconds. Raises RuntimeError where it fails."""
    start = time.perf_counter()
    if code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise RuntimeError(f"expected a run to its end, got exit code {code}")
    return time.perf_counter() - start


def _hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*"))


def _wait_for_hidden(folder: Path, child: int, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not _hidden(folder):
        time.sleep(0.001)


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _clips(folder: Path) -> None:
    for version in (0, 1):
        (folder / f"source{version}").mkdir()
        for number in range(2 + version):
            wobble(40 + 9 * number + version, number).save(folder / f"source{version}" / f"walk_{number}.bvh")


def _read_cache(folder: Path) -> tuple[str, ...]:
    if not (folder / "out").exists():
        return ABSENT
    cache = ClipCache.open(folder / "out")
    motions = [cache.motion(index) for index in range(len(cache))]
    ids = repr([record.id for record in cache.records]).encode()
    return (_digest(ids, *(motion.rotations.numpy().tobytes() for motion in motions)),)


def _training_data(folder: Path) -> None:
    facts = {"source": "own", "licence": "CC0", "captions": ("a person walks",)}
    clips = [
        ({"id": f"own/{n}", "split": "train" if n else "test", **facts}, wobble(100 + n, n)) for n in range(4)
    ]
    write_cache(folder / "cache", clips, fps=30)


def _train(folder: Path, version: int) -> list[str]:
    return [
        *("train", "tokenizer", "--data", f"{folder}/cache", "-o", f"{folder}/out", "--device", "cpu"),
        *("--steps", "3", "--validate-minutes", "0", "--save-minutes", "0", "--batch-size", "2"),
        *("--preset", ("small", "open")[version], "--seed", str(version)),
    ]


def _read_training(folder: Path) -> tuple[str, ...]:
    """Return the digest of the exported model; the checkpoint of the run must be whole, too."""
    home = folder / "out" / "tokenizer"
    if (home / "checkpoint" / STATE).exists():
        checkpoint.read_tensors(home / "checkpoint" / STATE)
    if not (home / checkpoint.WEIGHTS).exists():
        return ABSENT
    model = checkpoint.load(home, RVQVAE)
    return (_digest(*(value.numpy().tobytes() for value in model.state_dict().values())),)


def _read_demos(folder: Path) -> tuple[str, ...]:
    if not (folder / "out").exists():
        return ABSENT
    found = lerobot.read(folder / "out")
    return (_digest(found.state.tobytes(), found.action.tobytes(), found.lengths.tobytes()),)


def _generate(folder: Path, version: int) -> list[str]:
    (folder / "out").mkdir(exist_ok=True)
    outputs = [word for ending in ("bvh", "npz", "glb") for word in ("-o", f"{folder}/out/a.{ending}")]
    words = ["a person walks", "--weights", f"{folder}/set", "--seconds", "1", "--seed", str(version)]
    return ["generate", *words, "--device", "cpu", *outputs]


def _read_clips(folder: Path) -> tuple[str, ...]:
    return tuple(_digest(path.read_bytes()) for path in sorted((folder / "out").glob("a.*")))


def _read_memory(folder: Path) -> tuple[str, ...]:
    if not (folder / "out").exists() or not memory_files.is_memory(folder / "out"):
        return ABSENT
    memory = memory_files.load(folder / "out")
    return (_digest(memory.flat.numpy().tobytes(), repr((memory.sentences, memory.facts)).encode()),)


def _remembered(folder: Path) -> None:
    save_tiny(folder / "set")
    _clips(folder)


def _of_source(verb: str, *words: str) -> Callable[[Path, int], list[str]]:
    return lambda folder, version: [
        *(verb, f"{folder}/source{version}", "-o", f"{folder}/out", "--workers", "1"),
        *(word.format(folder=folder) for word in words),
    ]


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command("prepare", _clips, _of_source("prepare"), _read_cache),
        Command("train", _training_data, _train, _read_training, passes=True),
        Command(
            "demos",
            lambda folder: None,
            lambda folder, version: [
                *(
                    "demos",
                    "PushT",
                    "-o",
                    f"{folder}/out",
                    "--episodes",
                    "1",
                    "--workers",
                    "1",
                    "--keep-failures",
                )
            ],
            _read_demos,
            has_old=False,
        ),
        Command("generate", lambda folder: save_tiny(folder / "set"), _generate, _read_clips),
        Command("remember", _remembered, _of_source("remember", "--weights", "{folder}/set"), _read_memory),
    )
}
"""Name -> command that is killed."""


def main() -> int:
    """Print a table of counts, and the faults; return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--moments", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    options = parser.parse_args()
    torch.set_num_threads(1)  # so that a fork has all threads there are
    columns = ("killed", "half-written", "old", "between", "new", "mixture", "left")
    print(f"| command | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    lines = []
    for name in options.commands:
        with tempfile.TemporaryDirectory(prefix="kills-") as folder:
            counts, faults = run(COMMANDS[name], options.moments, options.seed, Path(folder))
        print(f"| {name} | {' | '.join(str(counts[column]) for column in columns)} |", flush=True)
        lines += faults
    print("\n".join(lines))
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
