"""World matrices of the nodes of one FBX file, by ufbx: python ufbx_worlds.py FILE TIMES.

The binding wants a process a file.
"""

import json
import os
import sys

import ufbx

scene = ufbx.load_file(sys.argv[1])
held = [scene, list(scene.nodes)]
worlds = []
for time in json.loads(sys.argv[2]):
    posed = scene.evaluate(scene.anim, time)
    nodes = list(posed.nodes)
    held += [posed, nodes]
    columns = {node.name: (m.c0, m.c1, m.c2, m.c3) for node in nodes if (m := node.node_to_world)}
    worlds.append({name: [x for c in four for x in (c.x, c.y, c.z)] for name, four in columns.items()})
print(json.dumps(worlds), flush=True)
os._exit(0)  # the binding may crash when it is torn down
