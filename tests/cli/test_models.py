import json

from motiongen.cli import main
from motiongen.cli.models import count_parameters
from motiongen.tokenizers import load
from tests.core.inference.tiny import save_tiny


def test_models_tells_licence_sizes_and_what_is_known(tmp_path, capsys):
    assert main(["models", str(save_tiny(tmp_path / "mine"))]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine: CC0\n")
    assert "contents     walk, bow" in out and "styles       old" in out
    assert "tokenizer" in out and "bamm" in out


def test_parameters_are_counted_from_the_header_alone(tmp_path):
    folder = save_tiny(tmp_path / "mine") / "tokenizer"
    whole = sum(tensor.numel() for tensor in load(folder).state_dict().values())
    assert count_parameters(folder / "model.safetensors") == whole


def test_models_as_json(tmp_path, capsys):
    assert main(["models", str(save_tiny(tmp_path / "mine")), "--json"]) == 0
    about = json.loads(capsys.readouterr().out)["mine"]
    assert about["licence"] == "CC0"
    assert about["models"]["bamm"]["bytes"] > 0


def test_folder_without_a_set_is_one_line(tmp_path, error_line):
    assert main(["models", str(tmp_path)]) == 2
    assert "about.json: no such file" in error_line()
