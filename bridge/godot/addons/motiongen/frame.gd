extends RefCounted
## A frame of the stream (bridge/PROTOCOL.md, "Frames").

const HEADER := 24
const MAX_JOINTS := 1024

var character := 0
var seq := 0
## Seconds of the server's clock at which it is to be shown.
var time := 0.0
var contacts := 0
var obeys := 0
var is_gap := false
var root := Vector3.ZERO
## Local rotations of the joints, of unit length.
var rotations: Array[Quaternion] = []


## Read a binary message; return whether it is a frame.
func decode(data: PackedByteArray) -> bool:
	if data.size() < HEADER + 12 or data.decode_u8(0) != 1:
		return false
	var size := 0
	match data.decode_u8(1):
		1:
			size = 16
		2:
			size = 8
		_:
			return false
	var joints := data.decode_u16(6)
	if joints < 1 or joints > MAX_JOINTS or data.size() != HEADER + 12 + joints * size:
		return false
	is_gap = data.decode_u8(2) & 1 == 1
	contacts = data.decode_u8(3)
	character = data.decode_u16(4)
	seq = data.decode_u32(8)
	obeys = data.decode_u32(12)
	time = data.decode_u64(16) / 1e6
	root = Vector3(data.decode_float(24), data.decode_float(28), data.decode_float(32))
	rotations.resize(joints)
	for joint in joints:
		rotations[joint] = _rotation(data, HEADER + 12 + joint * size, size == 16)
	return true


func _rotation(data: PackedByteArray, at: int, is_float: bool) -> Quaternion:
	var turn: Quaternion
	if is_float:
		turn = Quaternion(
			data.decode_float(at),
			data.decode_float(at + 4),
			data.decode_float(at + 8),
			data.decode_float(at + 12)
		)
	else:
		turn = Quaternion(
			data.decode_s16(at) / 32767.0,
			data.decode_s16(at + 2) / 32767.0,
			data.decode_s16(at + 4) / 32767.0,
			data.decode_s16(at + 6) / 32767.0
		)
	return turn.normalized() if turn.length_squared() > 0.0 else Quaternion.IDENTITY
