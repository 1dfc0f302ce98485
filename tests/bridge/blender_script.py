"""Run by a Python that has bpy, with the add-on's folder and a server's address: prints what the add-on did, as JSON.

Blender's timers do not fire in a module, so the timer's function is called here.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import bpy
import mathutils

BONES = {  # a person of Mixamo's names in an A-pose, as Blender's people stand: Z up, facing -Y
    "Hips": (None, (0, 0, 1.0), (0, 0, 1.1)),
    "Spine": ("Hips", (0, 0, 1.1), (0, 0, 1.25)),
    "Spine1": ("Spine", (0, 0, 1.25), (0, 0, 1.4)),
    "Neck": ("Spine1", (0, 0, 1.5), (0, 0, 1.58)),
    "Head": ("Neck", (0, 0, 1.58), (0, 0, 1.75)),
}
for side, sign in (("Left", 1), ("Right", -1)):
    BONES |= {
        f"{side}Shoulder": ("Spine1", (0.03 * sign, 0, 1.45), (0.15 * sign, 0, 1.45)),
        f"{side}Arm": (f"{side}Shoulder", (0.15 * sign, 0, 1.45), (0.35 * sign, 0, 1.25)),
        f"{side}ForeArm": (f"{side}Arm", (0.35 * sign, 0, 1.25), (0.53 * sign, 0, 1.07)),
        f"{side}Hand": (f"{side}ForeArm", (0.53 * sign, 0, 1.07), (0.6 * sign, 0, 1.0)),
        f"{side}UpLeg": ("Hips", (0.1 * sign, 0, 0.95), (0.1 * sign, 0, 0.5)),
        f"{side}Leg": (f"{side}UpLeg", (0.1 * sign, 0, 0.5), (0.1 * sign, 0, 0.09)),
        f"{side}Foot": (f"{side}Leg", (0.1 * sign, 0, 0.09), (0.1 * sign, -0.12, 0.02)),
        f"{side}ToeBase": (f"{side}Foot", (0.1 * sign, -0.12, 0.02), (0.1 * sign, -0.18, 0.02)),
    }
LIMBS = {
    "LeftArm": ("left_shoulder", "left_elbow"),
    "RightForeArm": ("right_elbow", "right_wrist"),
    "LeftUpLeg": ("left_hip", "left_knee"),
    "RightLeg": ("right_knee", "right_ankle"),
}


def make_armature():
    data = bpy.data.armatures.new("person")
    thing = bpy.data.objects.new("person", data)
    bpy.context.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (parent, head, tail) in BONES.items():
        bone = data.edit_bones.new(f"mixamorig:{name}")
        bone.head, bone.tail, bone.roll = head, tail, 0.3
        if parent:
            bone.parent = data.edit_bones[f"mixamorig:{parent}"]
    bpy.ops.object.mode_set(mode="OBJECT")
    thing.location, thing.rotation_euler = (3.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    bpy.context.view_layer.update()
    return thing


def wait_for(condition, tick):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        tick()
        time.sleep(0.01)


def limb_errors(live, thing, pose):
    """Return the angles, degrees, between limbs of the armature and of the stream, in the armature's space."""
    skeleton = live.current.link.hello["skeleton"]
    turns, _ = live.current.rig()._world(pose.rotations, pose.root)
    bones, errors = thing.pose.bones, {}
    for name, (joint, end) in LIMBS.items():
        bone = bones[f"mixamorig:{name}"]
        rest = skeleton["offsets"][skeleton["names"].index(end)]
        turn = mathutils.Quaternion(
            (turns[skeleton["names"].index(joint)][3], *turns[skeleton["names"].index(joint)][:3])
        )
        straight = (0.0, rest[1], 0.0) if "knee" in end or "ankle" in end else rest
        x, y, z = turn @ mathutils.Vector(straight)
        errors[name] = (bone.tail - bone.head).angle(mathutils.Vector((x, -z, y))) * 57.29578
    return errors


def main(folder, url):
    sys.path.insert(0, str(Path(folder).parent))
    addon = importlib.import_module(Path(folder).name)
    addon.register()
    live = importlib.import_module(f"{addon.__name__}.live")
    thing, scene = make_armature(), bpy.context.scene
    settings = scene.motiongen
    settings.url, settings.prompt, settings.armature = url, "a person walks", thing
    said = {"version": bpy.app.version_string, "connect": list(bpy.ops.motiongen.connect())}
    wait_for(lambda: live.current.link.sample() is not None, live.tick)
    pose = live.current.link.sample()
    live.current.show(pose)
    bpy.context.view_layer.update()
    said["limbs"] = limb_errors(live, thing, pose)
    said["scale"] = live.current.rig().scale

    target = bpy.data.objects.new("target", None)
    bpy.context.collection.objects.link(target)
    target.location = thing.matrix_world @ mathutils.Vector((0.5, -2.0, 0.0))
    bpy.context.view_layer.update()
    settings.target = target
    said["goal"] = live.current.rig().to_stream(
        tuple(thing.matrix_world.inverted() @ target.matrix_world.translation)
    )
    live.tick()
    said["went"] = live.current._goal is not None
    settings.prompt = "a person waves"
    said["prompt"] = list(bpy.ops.motiongen.prompt())

    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.frame_set(10)
    bpy.ops.motiongen.record()
    wait_for(lambda: len(live.current.link._take.frames) > 30, live.tick)
    take = live.current.link._take
    first = take.frames[0]
    bpy.ops.motiongen.record()
    said["frames"] = len(take.poses(24.0))
    action = thing.animation_data.action
    said["range"] = list(action.frame_range)
    settings.target = None
    scene.frame_set(10)  # the pose is now the action's
    said["keyed"] = limb_errors(live, thing, first)
    bpy.ops.motiongen.disconnect()
    said["connected"] = live.current is not None
    addon.unregister()
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
