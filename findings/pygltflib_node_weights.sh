#!/usr/bin/env bash
# pygltflib 1.16.5 drops the morph weights of a node: loading and saving a file changes the face or body that it shows.
#
# Input: a .gltf with one mesh of one morph target, mesh.weights [0.25], and a node that overrides them, node.weights
# [0.5] (glTF 2.0 section 5.25, node.weights, core). It is loaded and saved, nothing else.
# Seen: the saved node has no weights, so viewers fall back on the mesh's 0.25; all else of the node is kept.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pygltflib==1.16.5
cat > "$work/run.py" <<'PY'
import base64, json, struct, sys
from importlib.metadata import version
from pathlib import Path
from pygltflib import GLTF2

folder = Path(sys.argv[1])
data = struct.pack("<18f", 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1)
accessor = {"componentType": 5126, "count": 3, "type": "VEC3"}
document = {
    "asset": {"version": "2.0"},
    "buffers": [{"byteLength": 72, "uri": "data:application/octet-stream;base64," + base64.b64encode(data).decode()}],
    "bufferViews": [{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 36}],
    "accessors": [
        {"bufferView": 0, "min": [0, 0, 0], "max": [1, 1, 0], **accessor},
        {"bufferView": 1, "min": [0, 0, 1], "max": [0, 0, 1], **accessor},
    ],
    "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "targets": [{"POSITION": 1}]}], "weights": [0.25]}],
    "nodes": [{"name": "face", "mesh": 0, "weights": [0.5], "translation": [0, 1, 0]}],
    "scenes": [{"nodes": [0]}],
    "scene": 0,
}
(folder / "in.gltf").write_text(json.dumps(document))
GLTF2().load(str(folder / "in.gltf")).save(str(folder / "out.gltf"))
saved = json.loads((folder / "out.gltf").read_text())
print("pygltflib", version("pygltflib"), "node", saved["nodes"][0], "mesh weights", saved["meshes"][0]["weights"])
assert "weights" not in saved["nodes"][0] and saved["nodes"][0]["translation"] == [0, 1, 0], "pygltflib has changed"
assert saved["meshes"][0]["weights"] == [0.25]
PY
"$work/venv/bin/python" "$work/run.py" "$work"
