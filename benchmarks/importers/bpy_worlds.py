"""World matrices of bones by Blender's own importers: PYTHON_WITH_BPY bpy_worlds.py JOBS.json, see three.mjs for jobs.

Blender's world is Z up; what comes out is turned back to Y up.
"""

import json
import sys
from pathlib import Path

import bpy
from mathutils import Matrix

Y_UP = Matrix(((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1)))

answers = []
for job in json.loads(Path(sys.argv[1]).read_text()):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    path, fps = job["path"], job["fps"]
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(fps), round(fps) / fps
    if path.endswith(".fbx"):
        bpy.ops.wm.fbx_import(filepath=path)
    elif path.endswith(".bvh"):
        bpy.ops.import_anim.bvh(
            filepath=path, global_scale=0.01, update_scene_fps=False, use_fps_scale=False, frame_start=0
        )
    else:
        bpy.ops.import_scene.gltf(filepath=path)
    armature = next(one for one in scene.objects if one.type == "ARMATURE")
    start = armature.animation_data.action.frame_range[0]
    frames = []
    for time in job["times"]:
        frame = start + time * fps
        scene.frame_set(int(frame + 1e-6), subframe=max(0.0, frame - int(frame + 1e-6)))
        bones = {bone.name: Y_UP @ armature.matrix_world @ bone.matrix for bone in armature.pose.bones}
        frames.append({name: [m[r][c] for c in range(4) for r in range(4)] for name, m in bones.items()})
    answers.append(frames)
print("WORLDS " + json.dumps(answers), flush=True)
