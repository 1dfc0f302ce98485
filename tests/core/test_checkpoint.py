"""Saving and loading: exact, strict, and one line when a file is bad."""

import json

import pytest
import torch
from safetensors.torch import load_file

from motiongen import checkpoint
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig

CONFIG = RVQVAEConfig(feature_dim=7, width=12, frame_width=8, latent_dim=6, depth=1, codebook_size=16)


@pytest.fixture
def saved(tmp_path):
    model = RVQVAE(CONFIG)
    checkpoint.save(model, CONFIG, tmp_path, "# card\n")
    return model, tmp_path


def test_round_trip_is_exact(saved):
    model, folder = saved
    loaded = checkpoint.load(folder, RVQVAE)
    assert loaded.config == CONFIG
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)
    assert (folder / "README.md").read_text() == "# card\n"


def test_a_model_is_saved_under_its_own_name_wherever_its_class_is_defined(tmp_path):
    notebook = type("Mine", (RVQVAE,), {"__module__": "__main__"})
    checkpoint.save(notebook(CONFIG), CONFIG, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model"] == "rvq_vae"
    assert isinstance(checkpoint.load(tmp_path, notebook), RVQVAE)


def test_a_class_without_a_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Linear: expected a class attribute model_type"):
        checkpoint.save(torch.nn.Linear(1, 1), CONFIG, tmp_path)
    assert not list(tmp_path.iterdir())


def test_weights_under_an_old_name_load(saved, monkeypatch):
    model, folder = saved
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | {"model": "vq_vae"}))
    with pytest.raises(ValueError, match="expected a saved rvq_vae, got 'vq_vae'"):
        checkpoint.load(folder, RVQVAE)
    monkeypatch.setitem(checkpoint.MODEL_RENAMES, "vq_vae", "rvq_vae")
    assert checkpoint.read_model_type(folder) == "rvq_vae"
    torch.testing.assert_close(checkpoint.load(folder, RVQVAE).state_dict(), model.state_dict())


def test_weights_may_be_read_by_those_who_may_read_the_rest(saved):
    _, folder = saved
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


def test_half_stores_matrices_in_fp16_and_loads_in_fp32(tmp_path):
    checkpoint.save(RVQVAE(CONFIG), CONFIG, tmp_path, half=True)
    stored = load_file(tmp_path / "model.safetensors")
    assert stored["encoder.stem.weight"].dtype == torch.float16 and stored["mean"].dtype == torch.float32
    assert {t.dtype for t in checkpoint.load(tmp_path, RVQVAE).state_dict().values()} == {torch.float32}


def test_an_unknown_config_key_names_its_neighbour(saved):
    _, folder = saved
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | {"widht": 3}))
    with pytest.raises(ValueError, match=r"widht: expected a field of RVQVAEConfig.*did you mean width\?"):
        checkpoint.load(folder, RVQVAE)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_cut_off_file_is_one_line(saved, keep):
    _, folder = saved
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="expected a whole safetensors file") as error:
        checkpoint.load(folder, RVQVAE)
    assert "\n" not in str(error.value)


def test_weights_of_another_size_are_named(saved):
    _, folder = saved
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | {"latent_dim": 5}))
    with pytest.raises(ValueError, match="expected shape"):
        checkpoint.load(folder, RVQVAE)
    (folder / "config.json").write_text(json.dumps(record | {"depth": 2}))
    with pytest.raises(ValueError, match="has no tensor"):
        checkpoint.load(folder, RVQVAE)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere.*got no file"):
        checkpoint.load(tmp_path / "nowhere", RVQVAE)


def test_renames_apply_in_order():
    table = [(r"^enc\.", "encoder."), (r"\.w$", ".weight")]
    renamed = checkpoint.rename_keys({"enc.stem.w": torch.zeros(1), "mean": torch.ones(1)}, table)
    assert sorted(renamed) == ["encoder.stem.weight", "mean"]
