"""Mutated files against every reader: what is refused in one line, and what is not.

python -m benchmarks.fuzz [--seeds 10000] [--minutes 15] [--formats bvh npz …]

Each seed changes one file of a small sample of a format, in its bytes, its numbers or its structure, and reads it.
Clean is a motion, model or dataset of sane numbers, or an error of one line with the file's name. Not clean: another
exception (raw), more than 5 s of the processor or a minute of waiting (hang), 1 GB more memory (memory), or numbers
that cannot be (nonsense).
"""

import argparse
import multiprocessing
import resource
import signal
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from types import FrameType

import numpy as np
import torch

from benchmarks.fuzz_formats import SAMPLES
from benchmarks.fuzz_mutations import mutated
from benchmarks.fuzz_sample import Sample

SECONDS, WAITING, BYTES = 5, 60, 2**30
KINDS = ("raw", "hang", "memory", "nonsense")


class Hang(BaseException):
    """Raised when a reader takes too long; no Exception, so that no reader takes it for a broken file."""


def run(
    sample: Sample, folder: Path, seeds: range, minutes: float = np.inf
) -> tuple[Counter[str], list[str]]:
    """Return the counts of outcomes, and a line for each that is not clean.

    Args:
        sample: the format.
        folder: an empty folder to work in.
        seeds: one mutation each.
        minutes: time after which the rest of the seeds is left out.
    """
    whole = {path: path.read_bytes() for path in sample.make(folder)}
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, _too_long)
    counts, faults = Counter[str](), []
    end = time.monotonic() + 60 * minutes
    for seed in seeds:
        if time.monotonic() > end:
            break
        rng = np.random.default_rng(seed)
        path = list(whole)[int(rng.integers(len(whole)))]
        path.write_bytes(mutated(whole[path], path.suffix, rng))
        kind, reason = _outcome(sample, folder, path)
        path.write_bytes(whole[path])
        counts["tried"] += 1
        counts[kind] += 1
        if kind in KINDS:
            faults.append(f"{sample.name} seed {seed}, {path.name}: {kind}: {reason}")
    return counts, faults


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise Hang


def _outcome(sample: Sample, folder: Path, changed: Path) -> tuple[str, str]:
    """Return the kind of outcome of reading a sample's files, one of them changed, and what was raised or wrong."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of the processor, which others may use, too
    signal.setitimer(signal.ITIMER_REAL, WAITING)
    try:
        kind, reason = "read", ""
        if wrong := sample.nonsense(sample.read(folder)):
            kind, reason = "nonsense", wrong
    except Hang:
        kind, reason = "hang", ""
    except Exception as error:
        text = str(error)
        is_named = folder.name in text or changed.stem in text
        named = isinstance(error, ValueError) and is_named and "\n" not in text
        missing = isinstance(error, OSError) and error.filename is not None
        missing |= isinstance(error, FileNotFoundError) and folder.name in text
        kind, reason = "refused" if named or missing else "raw", f"{type(error).__name__}: {text[:300]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return ("memory", f"{grown} bytes") if grown > BYTES else (kind, reason)


def _in_process(name: str, seeds: int, minutes: float) -> tuple[Counter[str], list[str]]:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        return run(SAMPLES[name], Path(folder), range(seeds), minutes)


def main() -> None:
    """Print a table of counts, and what was not clean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=np.inf, help="in all; each format has its share")
    parser.add_argument("--formats", nargs="*", default=list(SAMPLES), choices=list(SAMPLES))
    options = parser.parse_args()
    print("| format | tried | read | refused | raw | hang | memory | nonsense | ms each |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    left = options.minutes
    lines = []
    for number, name in enumerate(options.formats):
        start = time.monotonic()
        # A process of its own: memory starts from nothing, and a crash ends one format alone.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            share = left / (len(options.formats) - number)
            counts, faults = pool.apply(_in_process, (name, options.seeds, share))
        seconds = time.monotonic() - start
        left -= seconds / 60
        cells = [counts[kind] for kind in ("tried", "read", "refused", *KINDS)]
        each = 1000 * seconds / max(counts["tried"], 1)
        print(f"| {name} | {' | '.join(map(str, cells))} | {each:.1f} |", flush=True)
        lines += faults
    print("\n".join(lines))


if __name__ == "__main__":
    main()
