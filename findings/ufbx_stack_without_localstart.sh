#!/usr/bin/env bash
# ufbx 0.0.5 gives an FBX take no length where the file states only when it stops.
#
# Input: an ASCII FBX 7.4 of one node that moves for two seconds, twice: its stack states LocalStop alone (LocalStart has
# the template's default of 0, so most exporters may leave it out), or LocalStart = 0 as well. All else is equal.
# Seen: without LocalStart time_begin and time_end are both 0, so whoever samples from one to the other gets one frame;
# with it time_end is 2. The curve is read whole in both, and evaluating at 1 s gives the moved node in both.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ufbx==0.0.5
cat > "$work/run.py" <<'PY'
import os, sys
from importlib.metadata import version
import ufbx

SECOND = 46186158000
FILE = """; FBX 7.4.0 project file
FBXHeaderExtension:  {{
    FBXHeaderVersion: 1003
    FBXVersion: 7400
}}
GlobalSettings:  {{
    Version: 1000
}}
Objects:  {{
    Model: 10, "Model::box", "Null" {{
        Version: 232
    }}
    AnimationStack: 20, "AnimStack::take", "" {{
        Properties70:  {{
{times}
        }}
    }}
    AnimationLayer: 30, "AnimLayer::layer", "" {{
    }}
    AnimationCurveNode: 40, "AnimCurveNode::T", "" {{
        Properties70:  {{
            P: "d|X", "Number", "", "A",0
        }}
    }}
    AnimationCurve: 50, "AnimCurve::", "" {{
        Default: 0
        KeyVer: 4008
        KeyTime: *2 {{
            a: 0,{stop}
        }}
        KeyValueFloat: *2 {{
            a: 0,8
        }}
        KeyAttrFlags: *1 {{
            a: 4
        }}
        KeyAttrDataFloat: *4 {{
            a: 0,0,0,0
        }}
        KeyAttrRefCount: *1 {{
            a: 2
        }}
    }}
}}
Connections:  {{
    C: "OO",10,0
    C: "OO",30,20
    C: "OO",40,30
    C: "OP",40,10, "Lcl Translation"
    C: "OP",50,40, "d|X"
}}
"""
row = '            P: "{}", "KTime", "Time", "",{}'
seen = {}
for names in (["LocalStop"], ["LocalStart", "LocalStop"]):
    times = "\n".join(row.format(name, 0 if name == "LocalStart" else 2 * SECOND) for name in names)
    path = os.path.join(sys.argv[1], "_".join(names) + ".fbx")
    with open(path, "w") as file:
        file.write(FILE.format(times=times, stop=2 * SECOND))
    scene = ufbx.load_file(path)
    stacks, nodes = list(scene.anim_stacks), list(scene.nodes)
    box = next(node for node in nodes if node.name == "box")
    moved = box.evaluate_transform(scene.anim, 1.0).translation.x
    seen[tuple(names)] = stacks[0].time_begin, stacks[0].time_end, moved
    print("ufbx", version("ufbx"), "stated:", *names, "begin, end, x at 1 s:", *seen[tuple(names)], flush=True)
wanted = {("LocalStop",): (0.0, 0.0, 4.0), ("LocalStart", "LocalStop"): (0.0, 2.0, 4.0)}
os._exit(0 if seen == wanted else 1)
PY
"$work/venv/bin/python" "$work/run.py" "$work" || { echo "ufbx has changed"; exit 1; }
