#!/usr/bin/env bash
# usd-core 26.11: a UsdSkel skeleton query answers with the rest pose once its stage is gone, without a word.
#
# Input: a stage in memory with one skeleton of two joints and an animation that turns the second by 90 degrees.
# The query is made, and asked for the joints at time 0 while the stage is held, and again after the last name of the
# stage was deleted, as happens to whoever makes it in a function and returns the query.
# Seen: the same query object gives the animated pose at first, then the rest pose; it stays valid and raises nothing,
# though a prim of that stage would raise an error that it has expired.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet usd-core==26.11 numpy
cat > "$work/run.py" <<'PY'
import gc
from pxr import Gf, Usd, UsdSkel, Vt

stage = Usd.Stage.CreateInMemory()
root = UsdSkel.Root.Define(stage, "/Root")
skeleton = UsdSkel.Skeleton.Define(stage, "/Root/Skeleton")
joints = ["hip", "hip/knee", "hip/knee/foot"]
rest = [Gf.Matrix4d(1.0) if i == 0 else Gf.Matrix4d().SetTranslate((0, -1, 0)) for i in range(3)]
bind = [Gf.Matrix4d().SetTranslate((0, -i, 0)) for i in range(3)]
skeleton.CreateJointsAttr(joints)
skeleton.CreateRestTransformsAttr(rest)
skeleton.CreateBindTransformsAttr(bind)
animation = UsdSkel.Animation.Define(stage, "/Root/Animation")
animation.CreateJointsAttr(joints)
animation.CreateTranslationsAttr([(0, 0, 0), (0, -1, 0), (0, -1, 0)])
half = 0.5**0.5
animation.CreateRotationsAttr([Gf.Quatf(1), Gf.Quatf(half, half, 0, 0), Gf.Quatf(1)])
animation.CreateScalesAttr([Gf.Vec3h(1)] * 3)
UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets(["/Root/Animation"])
cache = UsdSkel.Cache()
cache.Populate(root, Usd.PrimDefaultPredicate)
query = cache.GetSkelQuery(skeleton)


def foot():
    return [round(x, 3) for x in query.ComputeJointSkelTransforms(Usd.TimeCode(0))[2].ExtractTranslation()]


held = foot()
del stage, root, skeleton, animation
gc.collect()
gone = foot()
print("usd-core", ".".join(map(str, Usd.GetVersion())), "foot with the stage", held, "without it", gone, "valid", bool(query))
assert held == [0.0, -1.0, -1.0], held
assert gone == [0.0, -2.0, 0.0] and query, "usd-core has changed"
PY
"$work/venv/bin/python" "$work/run.py"
