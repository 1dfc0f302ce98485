extends RefCounted
## Puts the stream's pose on a Skeleton3D whose bones have the names of SkeletonProfileHumanoid and
## whose rest is a T-pose, as the importer's Bone Map makes both. Godot has the stream's axes.
##
## With N the rotation of a joint in the world and W the bone's at rest, the bone's is N W. Bones
## that the skeleton lacks turn those below them all the same.

## Joint of the stream -> bone of the profile.
const BONES := {
	"pelvis": "Hips",
	"left_hip": "LeftUpperLeg",
	"right_hip": "RightUpperLeg",
	"spine1": "Spine",
	"left_knee": "LeftLowerLeg",
	"right_knee": "RightLowerLeg",
	"spine2": "Chest",
	"left_ankle": "LeftFoot",
	"right_ankle": "RightFoot",
	"spine3": "UpperChest",
	"left_foot": "LeftToes",
	"right_foot": "RightToes",
	"neck": "Neck",
	"left_collar": "LeftShoulder",
	"right_collar": "RightShoulder",
	"head": "Head",
	"left_shoulder": "LeftUpperArm",
	"right_shoulder": "RightUpperArm",
	"left_elbow": "LeftLowerArm",
	"right_elbow": "RightLowerArm",
	"left_wrist": "LeftHand",
	"right_wrist": "RightHand",
}
const NEEDED: Array[String] = ["pelvis", "left_hip", "right_hip", "left_knee", "left_ankle"]
## Height of the stream's ankles over the sole, metres.
const ANKLE_HEIGHT := 0.085

## What is wrong with the skeleton; empty where nothing is.
var problem := ""
## The skeleton's legs over the stream's.
var scale := 1.0

var _skeleton: Skeleton3D
var _parents: Array[int] = []
var _offsets: Array[Vector3] = []
var _joints: Dictionary = {}
var _moved: Array[int] = []
var _hips: Array[int] = []
var _hip_offset := Vector3.ZERO
var _lift := 0.0
var _turns: Array[Quaternion] = []
var _places: Array[Vector3] = []
var _world: Dictionary = {}


## Find the parts of a skeleton for `hello.skeleton` of the server.
func bind(skeleton: Skeleton3D, hello: Dictionary) -> void:
	_skeleton = skeleton
	var names: Array = hello["names"]
	_parents.assign(hello["parents"])
	for offset: Array in hello["offsets"]:
		_offsets.append(Vector3(offset[0], offset[1], offset[2]))
	_turns.resize(names.size())
	_places.resize(names.size())
	var missing: Array[String] = []
	for joint in names.size():
		var bone := skeleton.find_bone(BONES.get(names[joint], ""))
		if bone >= 0:
			_joints[bone] = joint
		elif names[joint] in NEEDED:
			missing.append(BONES[names[joint]])
	if not missing.is_empty():
		problem = "no bone %s; import with a Bone Map of the humanoid profile" % ", ".join(missing)
		return
	_hips.assign([names.find("left_hip"), names.find("right_hip")])
	_find_moved()
	_measure(names)


## Put the pose on the skeleton.
func apply(rotations: Array[Quaternion], root: Vector3) -> void:
	_compose(rotations, root)
	var hips := _skeleton.find_bone("Hips")
	for bone in _moved:
		var parent := _skeleton.get_bone_parent(bone)
		var above := _rest(parent)
		if _world.has(parent):
			above = _world[parent]
		var turn := above * _skeleton.get_bone_rest(bone).basis.get_rotation_quaternion()
		if _joints.has(bone):
			turn = _turns[_joints[bone]] * _rest(bone)
		_world[bone] = turn
		_skeleton.set_bone_pose_rotation(bone, above.inverse() * turn)
		if bone == hips:
			var middle := (
				(_places[_hips[0]] + _places[_hips[1]]) / 2.0 * scale + Vector3(0.0, _lift, 0.0)
			)
			var head := middle - _turns[0] * _hip_offset
			var frame := Transform3D.IDENTITY
			if parent >= 0:
				frame = _skeleton.get_bone_global_rest(parent)
			_skeleton.set_bone_pose_position(bone, frame.affine_inverse() * head)


## Where a place in the skeleton's space is on the stream's floor: x and z.
func to_stream(place: Vector3) -> Vector2:
	return Vector2(place.x, place.z) / scale


func _compose(rotations: Array[Quaternion], root: Vector3) -> void:
	for joint in _parents.size():
		var parent := _parents[joint]
		if parent < 0:
			_turns[joint] = rotations[joint]
			_places[joint] = root
		else:
			_turns[joint] = _turns[parent] * rotations[joint]
			_places[joint] = _places[parent] + _turns[parent] * _offsets[joint]


func _rest(bone: int) -> Quaternion:
	if bone < 0:
		return Quaternion.IDENTITY
	return _skeleton.get_bone_global_rest(bone).basis.get_rotation_quaternion()


## Parents first, with the bones between those that play a part.
func _find_moved() -> void:
	var hips := _skeleton.find_bone("Hips")
	var moved: Dictionary = {}
	for bone: int in _joints:
		var line: Array[int] = []
		var above := bone
		while above >= 0 and above != hips:
			line.append(above)
			above = _skeleton.get_bone_parent(above)
		if above == hips:
			line.append(hips)
			for one in line:
				moved[one] = _depth(one)
	_moved.assign(moved.keys())
	_moved.sort_custom(func(a: int, b: int) -> bool: return moved[a] < moved[b])


func _depth(bone: int) -> int:
	var depth := 0
	while bone >= 0:
		bone = _skeleton.get_bone_parent(bone)
		depth += 1
	return depth


func _measure(names: Array) -> void:
	var own := 0.0
	for joint: String in ["left_knee", "left_ankle"]:
		own += _offsets[names.find(joint)].length()
	var hip := _head("LeftUpperLeg")
	var knee := _head("LeftLowerLeg")
	var ankle := _head("LeftFoot")
	var legs := hip.distance_to(knee) + knee.distance_to(ankle)
	if legs <= 0.0:
		problem = "legs without length"
		return
	scale = legs / own
	_hip_offset = (hip + _head("RightUpperLeg")) / 2.0 - _head("Hips")
	if ankle.y >= 0.0 and ankle.y < 0.4 * legs:
		_lift = ankle.y - ANKLE_HEIGHT * scale


func _head(bone: String) -> Vector3:
	return _skeleton.get_bone_global_rest(_skeleton.find_bone(bone)).origin
