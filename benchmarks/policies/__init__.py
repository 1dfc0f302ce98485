"""The policies that CARP is compared with: on the same data, behind the same encoder. Adding one is a file and a line.

They are read and written like CARP, sized by a PolicyConfig, and driven by motiongen_sim.Policy.
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
    """Return the policy that a folder holds, a baseline or CARP. Raises ValueError when it holds neither."""
    name = checkpoint.read_model_type(directory)
    classes: dict[str, type[AnyPolicy]] = {**POLICIES, "carp": CARP}
    return checkpoint.load(directory, registry.lookup("model", classes, name)).eval()


def ways(model: AnyPolicy) -> dict[str, AnyPolicy]:
    """Return the ways in which a policy is sampled, by name: two for diffusion, one for the others."""
    if not isinstance(model, DiffusionPolicy):
        names: dict[type, str] = {CARP: "CARP", FlatAR: "flat AR", LSTMGMM: "LSTM-GMM"}
        return {names[type(model)]: model}
    quick = copy.copy(model)  # the weights are shared
    quick.config = replace(model.config, sampling_steps=DDIM_STEPS)
    return {f"DDPM-{model.config.diffusion_steps}": model, f"DDIM-{DDIM_STEPS}": quick}
