"""Make the zip that Blender installs: the add-on, and the table of bones' names that it shares with motiongen.

python bridge/blender/build.py [OUT.zip]
"""

import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ADDON = HERE / "motiongen"
SHARED = HERE.parents[1] / "motiongen"
CORE = ("rig_names.py", "rig_match.py", "rigs.json")
"""Files of the package that the add-on's core carries; they need the standard library alone."""


def build(out: Path) -> Path:
    """Write the zip, equal bytes for equal files; return its path.

    Args:
        out: file to make or replace.
    """
    files = {
        path.relative_to(ADDON).as_posix(): path for path in sorted(ADDON.rglob("*")) if _is_source(path)
    }
    files |= {f"core/{name}": SHARED / name for name in CORE}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return out


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else "motiongen_blender.zip")))
