"""Saved models are sets: the old or the new, never a mixture; and what a file states is checked before it is built."""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from motiongen import checkpoint
from motiongen.atomic import part_of
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.tokenizers.rvq_vae_config import RVQVAEConfig

OLD = RVQVAEConfig(feature_dim=7, width=12, frame_width=8, latent_dim=6, depth=1, codebook_size=16)
NEW = dataclasses.replace(OLD, quantizer_dropout=0.5)  # the same weights fit both: only the digest tells


def save(config, folder):
    checkpoint.save(RVQVAE(config), config, folder, "# card\n")
    return folder


def killed_between(tmp_path):
    """Return a folder as a kill between the two renames leaves it: new weights, the old config, the new one aside."""
    old, new = save(OLD, tmp_path / "old"), save(NEW, tmp_path / "new")
    shutil.copy(new / "model.safetensors", old)
    shutil.copy(new / "config.json", part_of(old / "config.json"))
    return old


def test_a_save_that_was_killed_between_its_renames_is_read_as_finished(tmp_path):
    folder = killed_between(tmp_path)
    assert checkpoint.load(folder, RVQVAE).config == NEW
    assert checkpoint.read_model_type(folder) == "rvq_vae"
    save(OLD, folder)
    assert checkpoint.load(folder, RVQVAE).config == OLD
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]


def test_a_mixture_of_two_saves_is_refused(tmp_path):
    folder = killed_between(tmp_path)
    part_of(folder / "config.json").write_text("{")  # that of a third save, killed while it was written
    with pytest.raises(ValueError, match=r"config\.json: expected the config that was saved with model"):
        checkpoint.load(folder, RVQVAE)


def test_weights_of_older_versions_have_no_digest(tmp_path):
    folder = save(OLD, tmp_path / "old")
    save_file(load_file(folder / "model.safetensors"), folder / "model.safetensors")
    assert checkpoint.load(folder, RVQVAE).config == OLD


SAVES = """
import sys
from tests.core.test_checkpoint_faults import NEW, OLD, save
print("ready", flush=True)
for turn in range(10**6):
    save(NEW if turn % 2 else OLD, sys.argv[1])
"""


@pytest.mark.slow
def test_kills_leave_one_save_or_the_other(tmp_path):
    seeds = torch.Generator().manual_seed(0)
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", SAVES, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process:
            process.stdout.readline()
            time.sleep(0.05 + 0.3 * torch.rand(1, generator=seeds).item())
            process.send_signal(signal.SIGKILL)
        assert checkpoint.load(tmp_path, RVQVAE).config in (OLD, NEW)
    save(OLD, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["README.md", "config.json", "model.safetensors"]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, bad):
    folder = save(OLD, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["encoder.stem.weight"][0, 0] = bad
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(
        ValueError, match=r"encoder\.stem\.weight: expected finite weights, got NaN or infinity"
    ):
        checkpoint.load(folder, RVQVAE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 2**20}, "expected shape"),
        ({"width": 2**31 - 1}, r"config\.json: expected the config of the weights beside it"),
        ({"depth": 10**6}, "expected a model of"),
        ({"codebook_size": 2**40}, "codebook_size: expected int, got '1099511627776'"),
        ({"strides": [2] * 10**6}, "strides: expected"),
        ({"width": "wide"}, "width: expected int, got 'wide'"),
        ({"width": None}, "width: expected int, got 'None'"),
        ({"model": ["rvq_vae"]}, "expected a saved rvq_vae"),
    ],
)
def test_configs_are_checked_before_anything_is_built(tmp_path, change, message):
    folder = save(OLD, tmp_path)
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | change))
    start = time.perf_counter()
    with pytest.raises(ValueError, match=message):
        checkpoint.load(folder, RVQVAE)
    assert time.perf_counter() - start < 5
