"""How heads of each kind are built, trained and sampled in the contract tests."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.data.cache import write_cache
from motiongen.heads.badm.config import BADMTrainConfig
from motiongen.heads.carp.config import CARPTrainConfig
from motiongen.heads.carp.recipe import carp_for
from motiongen.heads.code_recipe import sized_for
from motiongen.heads.spec import HeadSpec
from tests.core.heads.badm.test_recipe import BANK, dance_cache
from tests.core.heads.carp.test_recipe import reaching
from tests.core.training.tiny import record, tiny_encoder, tiny_tokenizer

TOKENS = 10
"""Length of sampled clips."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def prompts(count: int, dim: int, seed: int = 1) -> TextCondition:
    tokens = torch.randn(count, 3, dim, generator=seeded(seed))
    return TextCondition(tokens, torch.zeros(count, 3, dtype=torch.bool), tokens.mean(dim=1))


def sharpened(model: Any, seed: int = 0) -> Any:
    """A random model whose parameters are far from their quiet start, so that its outputs depend on all its inputs."""
    draw = seeded(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1 and parameter.requires_grad:
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw))
    return model.eval()


class WordsKit:
    """Heads that turn words into codes."""

    def config(self, spec: HeadSpec) -> Any:
        return sized_for(spec.tiny, tiny_tokenizer(), tiny_encoder())

    def sample(self, spec: HeadSpec, model: Any, seed: int = 0) -> Tensor:
        condition = prompts(2, model.config.text_dim)
        made = spec.sampler()(model).generate(condition, lengths=TOKENS, generator=seeded(seed))
        return torch.stack(made)

    def recipe(self, spec: HeadSpec, folder: Path) -> Any:
        words = {"captions": 1, "mirrored_captions": 1}
        clip = [record(0, "train", 60, **words), record(1, "test", 60, **words)]
        config = _short(next(f for f in fields(spec.training) if f.name == "recipe").default_factory())
        cache = write_cache(folder, clip, fps=30)
        return spec.recipe().from_cache(cache, tiny_tokenizer(), spec.tiny, config, tiny_encoder())


class MusicKit:
    """Heads that turn music into feature frames."""

    def config(self, spec: HeadSpec) -> Any:
        return replace(spec.tiny, styles=("salsa",))

    def sample(self, spec: HeadSpec, model: Any, seed: int = 0) -> Tensor:
        frames = 2 * model.config.window_frames
        music = torch.randn(frames, model.config.music_dim, generator=seeded(3))
        beats = (torch.arange(frames) % 15 == 0).float()
        options = spec.options(steps=2)
        return torch.cat(
            list(spec.sampler()(model).sample(music, beats, generator=seeded(seed), options=options))
        )

    def recipe(self, spec: HeadSpec, folder: Path) -> Any:
        config = BADMTrainConfig(batch_size=4, held_out_windows=4, phases=1, bank=BANK)
        return spec.recipe().from_cache(dance_cache(folder), tiny_tokenizer(), spec.tiny, config)


class PolicyKit:
    """Heads that turn observations into chunks of actions."""

    def config(self, spec: HeadSpec) -> Any:
        return spec.tiny

    def sample(self, spec: HeadSpec, model: Any, seed: int = 0) -> Tensor:
        state = torch.randn(2, model.config.obs_steps, model.config.state_dim, generator=seeded(3))
        return spec.sampler()(model).predict({"state": state}, generator=seeded(seed), temperature=1.0)

    def recipe(self, spec: HeadSpec, folder: Path) -> Any:
        model, sampler = carp_for([reaching(episodes=2)], spec.tiny)
        return spec.recipe()(model, sampler, CARPTrainConfig(batch_size=16))


def _short(config: Any) -> Any:
    """A recipe's options with small batches, and few of the compositions that it makes beforehand."""
    few = {"batch_size": 8, "compositions": 6, "chains": 6}
    return replace(config, **{name: few[name] for name in few.keys() & vars(config).keys()})


KITS = {"words": WordsKit(), "music": MusicKit(), "policy": PolicyKit()}
