"""Motion to TRC: the joints' places as markers, in millimetres, as OpenSim and motion-capture tools read them.

The header and its columns follow OpenSim's guide to marker (.trc) files. Y is up, as there.
"""

from pathlib import Path

from motiongen.atomic import atomic_path
from motiongen.motion import Motion

MILLIMETRES = 1000.0


def write(motion: Motion, path: str | Path) -> None:
    """Write the joints of a motion of any skeleton as markers of the same names, blanks as underscores."""
    path = Path(path)
    names = ["_".join(name.split()) for name in motion.skeleton.names]
    rate, count = f"{motion.fps:.6g}", str(motion.num_frames)
    header = [
        ["PathFileType", "4", "(X/Y/Z)", path.name],
        [
            "DataRate", "CameraRate", "NumFrames", "NumMarkers",
            "Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames",
        ],
        [rate, rate, count, str(len(names)), "mm", rate, "1", count],
        ["Frame#", "Time", *(part for name in names for part in (name, "", ""))],
        ["", "", *(f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ")],
        [],
    ]  # fmt: skip
    places = (motion.positions() * MILLIMETRES).flatten(1).tolist()  # (T, J * 3)
    with atomic_path(path) as aside, open(aside, "w", newline="\n", encoding="utf-8") as file:
        file.writelines("\t".join(row) + "\n" for row in header)
        for frame, row in enumerate(places):
            cells = [str(frame + 1), f"{frame / motion.fps:.6f}", *(f"{value:.3f}" for value in row)]
            file.write("\t".join(cells) + "\n")
