import json

from motiongen.cli import main
from motiongen.cli.models import count_parameters
from motiongen.inference.weight_sets import shipped_policies, shipped_sets
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
    said = error_line()
    assert f"{tmp_path}: expected a folder with an about.json, or one of" in said and " open, " in said


def test_what_ships_is_shown_by_its_name(capsys):
    assert main(["models", "open"]) == 0
    assert capsys.readouterr().out.startswith("open")
    assert main(["models", "carp-panda", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["carp-panda"]


def test_sets_show_the_dance_styles_of_their_heads(tmp_path, capsys):
    assert main(["models", str(save_tiny(tmp_path / "mine"))]) == 0
    assert "dances       ballet, salsa" in capsys.readouterr().out


def test_what_ships_is_listed_sets_and_policies(capsys):
    assert main(["models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == [*shipped_sets(), *shipped_policies()]
    panda = found["carp-panda"]
    assert (panda["licence"], panda["head"], len(panda["tasks"])) == ("apache-2.0", "carp", 3)
    assert panda["models"]["carp"]["parameters"] == 655_262 and found["full"]["models"]["badm/latent"]


def test_a_policy_of_ones_own_is_described_too(capsys):
    assert main(["models", str(shipped_policies()["carp-pusht"])]) == 0
    out = capsys.readouterr().out
    assert out.startswith("carp-pusht: apache-2.0\n") and "tasks        push the T into its outline" in out
