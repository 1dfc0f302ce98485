@tool
extends VBoxContainer
## The editor's dock: connect, prompt, hold, and see it on the MotiongenCharacter that is selected.

var _status := Label.new()
var _prompt := LineEdit.new()
var _character: MotiongenCharacter


func _ready() -> void:
	_status.text = "Select a MotiongenCharacter"
	_status.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	_prompt.placeholder_text = "a person waves"
	_prompt.text_submitted.connect(func(_text: String) -> void: _tell("prompt"))
	add_child(_status)
	_add_button("Connect", _connect_selected)
	_add_button("Disconnect", _disconnect)
	add_child(_prompt)
	_add_button("Do it now", _tell.bind("prompt"))
	_add_button("Then", _tell.bind("then"))
	_add_button("Hold", _tell.bind("hold"))


func _exit_tree() -> void:
	_disconnect()


func _add_button(text: String, pressed: Callable) -> void:
	var button := Button.new()
	button.text = text
	button.pressed.connect(pressed)
	add_child(button)


func _connect_selected() -> void:
	_disconnect()
	for node in EditorInterface.get_selection().get_selected_nodes():
		if node is MotiongenCharacter:
			_character = node
	if _character == null:
		_status.text = "Select a MotiongenCharacter in the scene first"
		return
	_character.status_changed.connect(_show)
	_character.noted.connect(_show)
	_character.connect_to_server()


func _disconnect() -> void:
	if is_instance_valid(_character):
		_character.disconnect_from_server()
		_character.status_changed.disconnect(_show)
		_character.noted.disconnect(_show)
	_character = null


func _tell(verb: String) -> void:
	if not is_instance_valid(_character):
		_status.text = "Connect first"
		return
	if verb == "hold":
		_character.tell("hold")
	elif not _prompt.text.strip_edges().is_empty():
		_character.tell(verb, {"text": _prompt.text.strip_edges()})


func _show(text: String) -> void:
	_status.text = text
