#!/usr/bin/env bash
# trimesh 5.2.0 reads normalized integers as plain ones: a vertex at 1 m comes out at 32767 m.
#
# Input: a GLB with KHR_mesh_quantization (used and required), one triangle, POSITION as normalized int16 (32767 is 1.0,
# glTF 2.0 section 3.6.2.2). trimesh gives no warning for the extension that it does not know though it is required.
# Seen: bounds [[0, 0, 0], [32767, 32767, 0]]; the file says [[0, 0, 0], [1, 1, 0]].
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet trimesh==5.2.0 numpy==2.4.6
cat > "$work/run.py" <<'PY'
import io, json, struct
import numpy as np, trimesh

points = np.zeros((3, 4), "<i2")
points[1, 0] = points[2, 1] = 32767
data = points.tobytes()
document = {
    "asset": {"version": "2.0"},
    "extensionsUsed": ["KHR_mesh_quantization"],
    "extensionsRequired": ["KHR_mesh_quantization"],
    "buffers": [{"byteLength": len(data)}],
    "bufferViews": [{"buffer": 0, "byteLength": len(data), "byteStride": 8, "target": 34962}],
    "accessors": [
        {"bufferView": 0, "componentType": 5122, "normalized": True, "count": 3, "type": "VEC3",
         "min": [0, 0, 0], "max": [32767, 32767, 0]}
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
assert bounds.tolist() == [[0, 0, 0], [32767, 32767, 0]], "trimesh has changed"
PY
"$work/venv/bin/python" "$work/run.py"
