extends RefCounted
## Shows frames at their time by the server's clock, a little late, and blends between them
## (bridge/PROTOCOL.md, "Time"). All times are seconds.

const Frame := preload("frame.gd")

const CAPACITY := 300
const ARRIVALS := 90
const PONGS := 8
const QUANTILE := 0.97
const LONGEST_DELAY := 0.5
## A root that moves further than this between two frames jumps, metres.
const TELEPORT := 0.6

## Seconds to add to the local clock for the server's.
var offset := 0.0
## How far behind the server's clock it shows.
var delay := 0.05
## The pose of the last sample.
var root := Vector3.ZERO
var rotations: Array[Quaternion] = []

var _interval := 1.0 / 30.0
var _frames: Array[Frame] = []
var _lateness: Array[float] = []
var _pongs: Array[Vector2] = []


## Begin anew: a server that makes so many frames a second, whose clock shows `server_time` now.
func begin(fps: float, server_time: float) -> void:
	_interval = 1.0 / fps
	delay = 1.5 * _interval
	offset = server_time - local_time()
	_frames.clear()
	_lateness.clear()
	_pongs.clear()


## The local clock.
func local_time() -> float:
	return Time.get_ticks_usec() / 1e6


## Record a pong: the quickest of the last ones errs least (Cristian, 1989).
func add_pong(sent: float, server_time: float) -> void:
	var now := local_time()
	_pongs.append(Vector2(now - sent, server_time - (sent + now) / 2.0))
	if _pongs.size() > PONGS:
		_pongs.pop_front()
	var best := _pongs[0]
	for pong in _pongs:
		if pong.x < best.x:
			best = pong
	offset = best.y


## Store a frame that has just come.
func push(frame: Frame) -> void:
	if not _frames.is_empty() and frame.time <= _frames[-1].time:
		return
	_frames.append(frame)
	if _frames.size() > CAPACITY:
		_frames.pop_front()
	_lateness.append(local_time() + offset - frame.time)
	if _lateness.size() > ARRIVALS:
		_lateness.pop_front()
	var ordered := _lateness.duplicate()
	ordered.sort()
	var late: float = ordered[mini(ordered.size() - 1, floori(QUANTILE * ordered.size()))]
	var wanted := minf(LONGEST_DELAY, maxf(0.0, late) + 1.2 * _interval)
	# It grows fast and shrinks slowly: late frames come in bursts.
	delay += (wanted - delay) * (0.5 if wanted > delay else 0.02)


## Put the pose that is due into `root` and `rotations`; return whether there is one.
func sample() -> bool:
	if _frames.is_empty():
		return false
	var at := local_time() + offset - delay
	while _frames.size() > 1 and _frames[1].time <= at:
		_frames.pop_front()
	var a := _frames[0]
	var b: Frame = _frames[1] if _frames.size() > 1 else null
	if b == null or a.root.distance_to(b.root) > TELEPORT:
		root = a.root
		rotations.assign(a.rotations)
		return true
	# After a pause it holds, and moves in the last two intervals before b.
	var from := maxf(a.time, b.time - 2.0 * _interval)
	var share := clampf((at - from) / (b.time - from), 0.0, 1.0)
	root = a.root.lerp(b.root, share)
	rotations.resize(a.rotations.size())
	for joint in rotations.size():
		rotations[joint] = a.rotations[joint].slerp(b.rotations[joint], share)
	return true
