@tool
class_name MotiongenCharacter
extends Node
## A character of a motiongen server, live on a Skeleton3D: give it the skeleton, and a prompt.

## The server's answer to a prompt, for people: an error, or a note.
signal noted(text: String)
## The status changed.
signal status_changed(text: String)

const Frame := preload("frame.gd")
const Playback := preload("playback.gd")
const Rig := preload("rig.gd")

const FIRST_WAIT := 0.25
const LONGEST_WAIT := 4.0
const PING_SECONDS := 2.0
const FIRST_PINGS := 6
const GOTO_SECONDS := 0.5
const GOTO_METRES := 0.2
const MOST_WAITING := 32
## Close codes after which it is not tried again.
const FINAL := {1000: "the server hung up", 1001: "the server stopped", 1008: "too many messages"}

## Address that `motiongen serve` printed, with ws: and /ws.
@export var url := "ws://127.0.0.1:8787/ws"
## The server's secret, if it has one.
@export var token := ""
## What the character does first; empty to stand.
@export var prompt := "a person walks forward"
## A skeleton with the bones of the humanoid profile, in a T-pose at rest.
@export var skeleton: Skeleton3D
## The character walks to this node when it moves.
@export var target: Node3D
## Connect when the scene runs.
@export var autostart := true

var status := ""

var _socket: WebSocketPeer
var _playback := Playback.new()
var _rig: Rig
var _hello: Dictionary = {}
var _session := ""
var _character := 0
var _last := -1
var _is_open := false
var _waiting: Array[Dictionary] = []
var _pings := 0
var _pinged := 0.0
var _wait := FIRST_WAIT
var _retry_at := -1.0
var _goal := Vector3.INF
var _went := 0.0


func _ready() -> void:
	set_process(false)
	if autostart and not Engine.is_editor_hint():
		connect_to_server()


func _exit_tree() -> void:
	disconnect_from_server()


func _process(_delta: float) -> void:
	if _socket == null:
		if _retry_at >= 0.0 and _playback.local_time() >= _retry_at:
			_open_socket()
		return
	_socket.poll()
	while _socket != null and _socket.get_available_packet_count() > 0:
		var packet := _socket.get_packet()
		if _socket.was_string_packet():
			_read(packet.get_string_from_utf8())
		else:
			_keep(packet)
	if _socket == null:
		return
	match _socket.get_ready_state():
		WebSocketPeer.STATE_OPEN:
			_ping()
			_follow()
		WebSocketPeer.STATE_CLOSED:
			_lost(_socket.get_close_code(), _socket.get_close_reason())
	if _rig != null and _playback.sample():
		_rig.apply(_playback.rotations, _playback.root)


## Connect, and come back when the connection drops.
func connect_to_server() -> void:
	disconnect_from_server()
	_session = ""
	_character = 0
	_wait = FIRST_WAIT
	set_process(true)
	_open_socket()


## Hang up; the skeleton keeps its pose.
func disconnect_from_server() -> void:
	set_process(false)
	_retry_at = -1.0
	_is_open = false
	if _socket != null:
		if _character != 0:  # else the server keeps it for half a minute, for who comes back
			_send({"type": "close", "character": _character})
		_socket.close()
		_socket.poll()
		_socket = null
		_say("disconnected")


## Send a verb, now or when the character is there: tell("prompt", {"text": "a person waves"}).
## See bridge/PROTOCOL.md, "Verbs".
func tell(verb: String, arguments: Dictionary = {}) -> void:
	var message := arguments.duplicate()
	message["type"] = verb
	_waiting.append(message)
	if _waiting.size() > MOST_WAITING:
		_waiting.pop_front()
	_send_waiting()


func _open_socket() -> void:
	_retry_at = -1.0
	_hello = {}
	_pings = 0
	_socket = WebSocketPeer.new()
	_socket.supported_protocols = PackedStringArray(["motiongen.v1"])
	if not token.is_empty():
		_socket.handshake_headers = PackedStringArray(["Authorization: Bearer " + token])
	_socket.inbound_buffer_size = 1 << 20
	_say("connecting …")
	var address := url
	if not _session.is_empty(): # who comes back says where its character lives
		address += ("&" if "?" in url else "?") + "at=" + _session.left(4)
	if _socket.connect_to_url(address) != OK:
		_socket = null
		_end("expected an address such as ws://127.0.0.1:8787/ws, got " + url)


func _lost(code: int, reason: String) -> void:
	_socket = null
	_is_open = false
	if FINAL.has(code):
		_end(FINAL[code] + (": " + reason if not reason.is_empty() else ""))
		return
	_say("no connection to %s; trying again …" % url)
	_retry_at = _playback.local_time() + _wait
	_wait = minf(2.0 * _wait, LONGEST_WAIT)


func _end(text: String) -> void:
	_is_open = false
	_retry_at = -1.0
	if _socket != null:
		_socket.close()
		_socket = null
	set_process(false)
	_say(text)


func _read(text: String) -> void:
	var message: Variant = JSON.parse_string(text)
	if not message is Dictionary:
		return
	if _hello.is_empty():
		_greet(message)
		return
	var id: int = message.get("id", -1)
	match message.get("type"):
		"pong":
			_playback.add_pong(message["time"], message["server_time"] / 1e6)
		"ok":
			if id == 1:
				_character = int(message["character"])
				_opened()
			elif id == 0 and message["characters"].has(str(_character)):
				_opened()
			elif id == 0:
				_open_character()
		"error":
			if id == 0:
				_open_character()
			elif id == 1:
				_end(message.get("message", ""))
			else:
				noted.emit(message.get("message", ""))
		"event":
			_hear(message)


func _hear(message: Dictionary) -> void:
	match message.get("event"):
		"note":
			noted.emit(message.get("text", ""))
		"closed":
			_end("the server closed the character")
		_:
			_say("%s %s" % [message.get("event"), message.get("text", "")])


func _greet(hello: Dictionary) -> void:
	if hello.get("type") != "hello" or int(hello.get("version", 0)) != 1:
		_end("expected a server of protocol version 1; use the add-on that came with it")
		return
	_hello = hello
	_playback.begin(hello["fps"], hello["time"] / 1e6)
	if skeleton != null:
		_rig = Rig.new()
		_rig.bind(skeleton, hello["skeleton"])
		if not _rig.problem.is_empty():
			var problem := _rig.problem
			_rig = null
			_end("skeleton: " + problem)
			return
	var before := _session
	_session = hello["session"]
	if before.is_empty() or _character == 0:
		_open_character()
		return
	var last := {str(_character): _last}
	_send({"type": "resume", "id": 0, "session": before, "last": last})


func _open_character() -> void:
	_character = 0
	_last = -1
	_send({"type": "open", "id": 1, "prompt": prompt})


func _opened() -> void:
	_is_open = true
	_wait = FIRST_WAIT
	_say("connected")
	_send_waiting()


func _send_waiting() -> void:
	while _is_open and not _waiting.is_empty():
		var message: Dictionary = _waiting.pop_front()
		if message["type"] == "prompt":
			prompt = message["text"]  # what it is opened with if it must be opened anew
		message["character"] = _character
		_send(message)


func _send(message: Dictionary) -> void:
	if _socket != null:
		_socket.send_text(JSON.stringify(message))


func _keep(packet: PackedByteArray) -> void:
	var frame := Frame.new()
	if not frame.decode(packet) or (_character != 0 and frame.character != _character):
		return
	_last = frame.seq
	_playback.push(frame)


func _ping() -> void:
	var now := _playback.local_time()
	if _hello.is_empty() or (_pings >= FIRST_PINGS and now - _pinged < PING_SECONDS):
		return
	_pings += 1
	_pinged = now
	_send({"type": "ping", "time": now})


func _follow() -> void:
	var now := _playback.local_time()
	if target == null or _rig == null or not _is_open or now - _went < GOTO_SECONDS:
		return
	var place := skeleton.global_transform.affine_inverse() * target.global_position
	if _goal.is_finite() and place.distance_to(_goal) < GOTO_METRES * _rig.scale:
		return
	_goal = place
	_went = now
	var at := _rig.to_stream(place)
	tell("goto", {"x": at.x, "z": at.y})


func _say(text: String) -> void:
	status = text
	status_changed.emit(text)
