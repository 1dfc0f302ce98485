"""Training recipe of BADM: windows of dances paired with songs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.data.cache import ClipCache
from motiongen.data.dance_bank import IDLE, DanceBank, PairRecord
from motiongen.heads.badm.config import BADMConfig, BADMTrainConfig
from motiongen.heads.badm.loss import loss
from motiongen.heads.badm.model import BADM
from motiongen.heads.badm.spaces import Space, make_space
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.model_card import model_card
from motiongen.training.parameters import parameter_groups
from motiongen.training.tokenizer import normaliser


@dataclass(frozen=True)
class _EncodedDance:
    """A paired dance in the diffused representation.

    Attributes:
        pair: index of its record in the bank.
        sequence: (N, C).
        phase: frame of the dance at which the sequence starts.
    """

    pair: int
    sequence: Tensor
    phase: int


class BADMRecipe:
    """Trains a BADM on the dances of a prepared cache; see `Recipe`.

    Args:
        model: with the channels of the space.
        space: representation that is diffused.
        cache: the clips.
        bank: their dances, paired with music.
        config: batches.

    Raises:
        ValueError: no dances in one of the splits.
    """

    name = "badm"

    def __init__(
        self, model: BADM, space: Space, cache: ClipCache, bank: DanceBank, config: BADMTrainConfig
    ) -> None:
        self.model, self.space, self.cache, self.bank, self.config = model, space, cache, bank, config
        # A dance has an accent on four of ten beats. The beat input of training is the accents only, so that the model
        # learns to come to rest on a beat; given all beats of the song, it would learn to ignore them.
        self._beats = [bank.accents(index) for index in range(len(bank.records))]
        self.dances = self._encoded("train")
        shares = self._shares()
        self.shares = torch.tensor([shares[dance.pair] for dance in self.dances])
        held_out = self._encoded("test", phases=1)
        if not self.dances or not held_out:
            raise ValueError("cache: expected dances in both splits, found too few; prepare more clips")
        self._set_normaliser()
        generator = torch.Generator().manual_seed(0)
        lengths = torch.tensor([float(len(dance.sequence)) for dance in held_out])
        chosen = torch.multinomial(lengths, config.held_out_windows, replacement=True, generator=generator)
        self.held_out = self._batch([held_out[i] for i in chosen.tolist()], generator)

    @classmethod
    def from_cache(
        cls,
        cache: ClipCache,
        tokenizer: RVQVAE | None,
        model_config: BADMConfig | None = None,
        config: BADMTrainConfig | None = None,
    ) -> "BADMRecipe":
        """Return the recipe for a prepared cache, with a new model.

        Args:
            cache: the clips.
            tokenizer: for the latent space; None for the others.
            model_config: sizes; channels and styles are set from space and data.
            config: batches.
        """
        config, model_config = config or BADMTrainConfig(), model_config or BADMConfig()
        bank = DanceBank.open(cache, config.bank)
        space = make_space(model_config.space, tokenizer)
        styles = tuple(sorted({record.style for record in bank.records if record.bpm}))
        sized = replace(
            model_config, channels=space.channels, frames_per_step=space.frames_per_step, styles=styles
        )
        return cls(BADM(sized), space, cache, bank, config)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay, and biases, embeddings and single vectors without."""
        return parameter_groups(self.model, ("position", "role", "edge", "no_music", "style."))

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch of windows with their music."""
        chosen = torch.multinomial(self.shares, self.config.batch_size, replacement=True, generator=generator)
        return self._batch([self.dances[i] for i in chosen.tolist()], generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        return loss(self.model, self.space, batch, generator, self.config.kinematic_items)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the losses on held-out windows, with the same noise at every call."""
        assert isinstance(model, BADM), type(model)
        batch = {key: value.to(model.device) for key, value in self.held_out.items()}
        generator = torch.Generator().manual_seed(1)
        losses = loss(model, self.space, batch, generator, self.config.held_out_windows)
        return {key: float(value) for key, value in losses.items()}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Save the head in fp16 with its model card."""
        used = {record.clip for record in self.bank.records}
        licences = {f"{r.source}: {r.licence}" for r in self.cache.records if r.id in used}
        minutes = sum(record.num_frames for record in self.bank.records if record.split == "train") / 1800
        facts = {
            "data": sorted(licences),
            "paired dances": f"{len(self.bank.records)}, {minutes:.0f} min of warped motion, mirrored as well",
            "music": "synthesised (motiongen.music.synthesis)",
            "space": self.model.config.space,
        }
        card = model_card("BADM: music to dance", facts, self.model, metrics, "music")
        checkpoint.save(model, self.model.config, directory, card, half=True)

    def _encoded(self, split: str, phases: int | None = None) -> list[_EncodedDance]:
        """Return the encoded dances of a split, each also mirrored, at every phase."""
        phases = min(phases or self.config.phases, self.space.frames_per_step)
        window = self.model.config.window
        dances = []
        for index, record in enumerate(self.bank.records):
            if record.split != split and not (record.style == IDLE and split == "train"):
                continue
            for mirrored in (False, True):
                frames = self.bank.frames(index, mirrored)
                for phase in range(phases):
                    whole = (len(frames) - phase) // self.space.frames_per_step * self.space.frames_per_step
                    if whole >= window * self.space.frames_per_step // 2:
                        sequence = self.space.encode(frames[phase : phase + whole])
                        dances.append(_EncodedDance(index, sequence.half(), phase))
        return dances

    def _shares(self) -> list[float]:
        """Return sampling weights of the pairs: dances by the square root of their style's length, others by share."""
        kinds = [_kind(record) for record in self.bank.records]
        lengths = [record.num_frames * max(record.score, 0.5) for record in self.bank.records]
        kind_shares = {"rhythmic": self.config.rhythmic_share, "idle": self.config.idle_share}
        kind_shares["dance"] = 1 - sum(kind_shares.values())
        by_style: dict[str, float] = {}
        for record, length in zip(self.bank.records, lengths, strict=True):
            by_style[record.style] = by_style.get(record.style, 0.0) + length
        raw = [
            length / by_style[record.style] ** 0.5
            for record, length in zip(self.bank.records, lengths, strict=True)
        ]
        sums = {kind: sum(r for r, k in zip(raw, kinds, strict=True) if k == kind) for kind in kind_shares}
        return [kind_shares[kind] * share / sums[kind] for share, kind in zip(raw, kinds, strict=True)]

    def _set_normaliser(self) -> None:
        sample = torch.cat([dance.sequence[::3].float() for dance in self.dances])
        if self.space.name == "latent":  # one scale for all channels preserves distances between latents
            mean, std = sample.mean(0), sample.std(0).square().mean().sqrt().expand(sample.shape[1])
        else:
            mean, std = normaliser(sample)
        songs = range(0, len(self.bank.records), max(1, len(self.bank.records) // 100))
        music = torch.cat([self.bank.music(i, 0) for i in songs if self.bank.records[i].bpm])
        self.model.set_normaliser(mean, std, music.mean(0), music.std(0).clamp_min(0.05))

    def _batch(self, dances: list[_EncodedDance], generator: torch.Generator) -> dict[str, Tensor]:
        items = [self._item(dance, *torch.rand(2, generator=generator).tolist()) for dance in dances]
        stacked = {key: torch.stack([item[key] for item in items]) for key in items[0]}
        records = [self.bank.records[dance.pair] for dance in dances]
        styles = [r.style if r.bpm else None for r in records]
        stacked["style"] = torch.tensor([self.model.style_index(style) for style in styles])
        stacked["keep_style"] = torch.tensor([not r.is_dance for r in records])
        return stacked

    def _item(self, dance: _EncodedDance, start: float, song: float) -> dict[str, Tensor]:
        """Return a window of a dance, padded with its last position if the dance is shorter.

        Args:
            dance: the dance.
            start: uniform draw in 0..1, of the start of the window.
            song: uniform draw in 0..1, of one of its songs.
        """
        config, stride = self.model.config, self.space.frames_per_step
        first = int(start * (max(len(dance.sequence) - config.window, 0) + 1))
        window = _padded(dance.sequence[first : first + config.window].float(), config.window)
        begin = dance.phase + first * stride
        end = begin + config.window_frames
        record = self.bank.records[dance.pair]
        music = self.bank.music(dance.pair, int(song * record.songs), begin, end)
        beats = self._beats[dance.pair][begin:end]
        missing = config.window_frames - len(beats)
        return {
            "window": window,
            "music": _padded(music, config.window_frames),
            "beats": torch.cat([beats, beats.new_zeros(missing)]),
        }


def _kind(record: PairRecord) -> str:
    if not record.bpm:
        return "idle"
    return "dance" if record.is_dance else "rhythmic"


def _padded(values: Tensor, length: int) -> Tensor:
    """Return values (n, ...) padded to a length with the last one."""
    missing = length - len(values)
    if missing <= 0:
        return values
    return torch.cat([values, values[-1:].expand(missing, *values.shape[1:])])
