"""Baseline policies for CARP, with the same data and observation encoder. A new one is a file and a line.

They are saved and loaded like CARP, sized by a PolicyConfig, and run by motiongen_sim.Policy.
"""

import copy
from dataclasses import replace
from pathlib import Path

from benchmarks.policies import diffusion_policy, flat_ar, lstm_gmm
from benchmarks.policies.diffusion_policy import DiffusionPolicy
from benchmarks.policies.flat_ar import FlatAR
from benchmarks.policies.lstm_gmm import LSTMGMM
from motiongen import checkpoint, registry
from motiongen.heads.carp.model import CARP
from motiongen.modules.policy_config import PolicyConfig

Baseline = DiffusionPolicy | LSTMGMM | FlatAR
AnyPolicy = CARP | Baseline
POLICIES: dict[str, type[DiffusionPolicy] | type[LSTMGMM] | type[FlatAR]] = {
    "diffusion_policy": DiffusionPolicy,
    "lstm_gmm": LSTMGMM,
    "flat_ar": FlatAR,
}
"""Name -> class."""
PAPER: dict[str, PolicyConfig] = {
    "diffusion_policy": diffusion_policy.PRESETS["paper"],
    "lstm_gmm": lstm_gmm.PRESETS["paper"],
    "flat_ar": flat_ar.PRESETS["paper"],
}
"""Name -> the published size."""
DDIM_STEPS = 16


def load(directory: str | Path) -> AnyPolicy:
    """Return the saved policy in a folder, a baseline or CARP. Raises ValueError for any other model."""
    name = checkpoint.read_model_type(directory)
    classes: dict[str, type[AnyPolicy]] = {**POLICIES, "carp": CARP}
    return checkpoint.load(directory, registry.lookup("model", classes, name)).eval()


def sampling_variants(model: AnyPolicy) -> dict[str, AnyPolicy]:
    """Return the sampling variants of a policy by name: DDPM and DDIM for diffusion, one for the others."""
    if not isinstance(model, DiffusionPolicy):
        names: dict[type, str] = {CARP: "CARP", FlatAR: "flat AR", LSTMGMM: "LSTM-GMM"}
        return {names[type(model)]: model}
    quick = copy.copy(model)  # the weights are shared
    quick.config = replace(model.config, sampling_steps=DDIM_STEPS)
    return {f"DDPM-{model.config.diffusion_steps}": model, f"DDIM-{DDIM_STEPS}": quick}
