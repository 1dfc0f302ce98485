#!/usr/bin/env bash
# trimesh 5.2.0 leaves out the sparse part of an accessor without a word: moved vertices stay where they were.
#
# Input: a GLB with one triangle whose POSITION accessor has dense data and a sparse replacement of its third vertex,
# (0, 1, 0) by (0, 5, 0) (glTF 2.0 section 3.6.2.3, core, no extension); min and max are those after the replacement.
# Seen: bounds [[0, 0, 0], [1, 1, 0]]; the file says [[0, 0, 0], [1, 5, 0]]. No error, no warning.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet trimesh==5.2.0 numpy==2.4.6
cat > "$work/run.py" <<'PY'
import io, json, struct, warnings
import numpy as np, trimesh

warnings.simplefilter("error")
points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
place, moved = np.array([2, 0], "<u2").tobytes(), np.array([0, 5, 0], "<f4").tobytes()
data = points + place + moved
document = {
    "asset": {"version": "2.0"},
    "buffers": [{"byteLength": len(data)}],
    "bufferViews": [
        {"buffer": 0, "byteLength": 36, "target": 34962},
        {"buffer": 0, "byteOffset": 36, "byteLength": 2},
        {"buffer": 0, "byteOffset": 40, "byteLength": 12},
    ],
    "accessors": [
        {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [1, 5, 0],
         "sparse": {"count": 1, "indices": {"bufferView": 1, "componentType": 5123}, "values": {"bufferView": 2}}}
    ],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
    "nodes": [{"mesh": 0}],
    "scenes": [{"nodes": [0]}],
    "scene": 0,
}
text = json.dumps(document).encode()
text += b" " * (-len(text) % 4)
glb = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(data))
glb += struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
bounds = trimesh.load_scene(io.BytesIO(glb), file_type="glb").bounds
print("trimesh", trimesh.__version__, "bounds", bounds.tolist())
assert bounds.tolist() == [[0, 0, 0], [1, 1, 0]], "trimesh has changed"
PY
"$work/venv/bin/python" "$work/run.py"
