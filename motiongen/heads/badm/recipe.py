"""The recipe of BADM: windows of paired dances under their songs."""

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
class _Piece:
    """A pair as places: (N, C), from frame `phase` of it on."""

    pair: int
    places: Tensor
    phase: int


class BADMRecipe:
    """Trains a BADM on the dances of a prepared cache; see `Recipe`."""

    name = "badm"

    def __init__(
        self, model: BADM, space: Space, cache: ClipCache, bank: DanceBank, config: BADMTrainConfig
    ) -> None:
        """Take a model of the space's channels, a cache and its paired dances."""
        self.model, self.space, self.cache, self.bank, self.config = model, space, cache, bank, config
        # A dance meets four beats in ten. Told those that it meets, and no others, a model learns that a beat is where
        # the body rests; told the song's, it learns that a beat means little.
        self._beats = [bank.accents(index) for index in range(len(bank.records))]
        self.pieces = self._pieces("train")
        shares = self._shares()
        self.shares = torch.tensor([shares[piece.pair] for piece in self.pieces])
        held_out = self._pieces("test", phases=1)
        if not self.pieces or not held_out:
            raise ValueError("cache: expected dances in both splits, found too few; prepare more clips")
        self._set_normaliser()
        generator = torch.Generator().manual_seed(0)
        lengths = torch.tensor([float(len(piece.places)) for piece in held_out])
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
        """Return the recipe for a prepared cache with a new model; the tokenizer is for latents."""
        config, model_config = config or BADMTrainConfig(), model_config or BADMConfig()
        bank = DanceBank.open(cache, config.bank)
        space = make_space(model_config.space, tokenizer)
        styles = tuple(sorted({record.style for record in bank.records if record.bpm}))
        sized = replace(
            model_config, channels=space.channels, frames_per_step=space.frames_per_step, styles=styles
        )
        return cls(BADM(sized), space, cache, bank, config)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay; biases, embeddings and single vectors without."""
        return parameter_groups(self.model, ("position", "role", "edge", "no_music", "style."))

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch of windows."""
        chosen = torch.multinomial(self.shares, self.config.batch_size, replacement=True, generator=generator)
        return self._batch([self.pieces[i] for i in chosen.tolist()], generator)

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        return loss(self.model, self.space, batch, generator, self.config.kinematic_items)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the losses on held-out windows, at the same noise every time."""
        assert isinstance(model, BADM), type(model)
        batch = {key: value.to(model.device) for key, value in self.held_out.items()}
        generator = torch.Generator().manual_seed(1)
        losses = loss(model, self.space, batch, generator, self.config.held_out_windows)
        return {key: float(value) for key, value in losses.items()}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Write the head in fp16 with its model card."""
        used = {record.clip for record in self.bank.records}
        licences = {f"{r.source}: {r.licence}" for r in self.cache.records if r.id in used}
        minutes = sum(record.num_frames for record in self.bank.records if record.split == "train") / 1800
        facts = {
            "data": sorted(licences),
            "paired dances": f"{len(self.bank.records)}, {minutes:.0f} min of warped motion, mirrored as well",
            "music": "synthesised (motiongen.music.synthesis)",
            "space": self.model.config.space,
        }
        card = model_card("BADM: music to dance", facts, self.model, metrics)
        checkpoint.save(model, self.model.config, directory, card, half=True)

    def _pieces(self, split: str, phases: int | None = None) -> list[_Piece]:
        """All pairs of a split as places, each mirrored and not, at every phase that places can have."""
        phases = min(phases or self.config.phases, self.space.frames_per_step)
        window = self.model.config.window
        pieces = []
        for index, record in enumerate(self.bank.records):
            if record.split != split and not (record.style == IDLE and split == "train"):
                continue
            for mirrored in (False, True):
                frames = self.bank.frames(index, mirrored)
                for phase in range(phases):
                    whole = (len(frames) - phase) // self.space.frames_per_step * self.space.frames_per_step
                    if whole >= window * self.space.frames_per_step // 2:
                        places = self.space.encode(frames[phase : phase + whole])
                        pieces.append(_Piece(index, places.half(), phase))
        return pieces

    def _shares(self) -> list[float]:
        """How often each pair is drawn: dances by the square root of their style's length, the rest by its share."""
        kinds = [_kind(record) for record in self.bank.records]
        lengths = [record.num_frames * max(record.score, 0.5) for record in self.bank.records]
        wanted = {"rhythmic": self.config.rhythmic_share, "idle": self.config.idle_share}
        wanted["dance"] = 1 - sum(wanted.values())
        by_style: dict[str, float] = {}
        for record, length in zip(self.bank.records, lengths, strict=True):
            by_style[record.style] = by_style.get(record.style, 0.0) + length
        raw = [
            length / by_style[record.style] ** 0.5
            for record, length in zip(self.bank.records, lengths, strict=True)
        ]
        sums = {kind: sum(r for r, k in zip(raw, kinds, strict=True) if k == kind) for kind in wanted}
        return [wanted[kind] * share / sums[kind] for share, kind in zip(raw, kinds, strict=True)]

    def _set_normaliser(self) -> None:
        some = torch.cat([piece.places[::3].float() for piece in self.pieces])
        if self.space.name == "latent":  # one scale for all channels: distances are the decoder's own
            mean, std = some.mean(0), some.std(0).square().mean().sqrt().expand(some.shape[1])
        else:
            mean, std = normaliser(some)
        songs = range(0, len(self.bank.records), max(1, len(self.bank.records) // 100))
        music = torch.cat([self.bank.music(i, 0) for i in songs if self.bank.records[i].bpm])
        self.model.set_normaliser(mean, std, music.mean(0), music.std(0).clamp_min(0.05))

    def _batch(self, pieces: list[_Piece], generator: torch.Generator) -> dict[str, Tensor]:
        items = [self._item(piece, *torch.rand(2, generator=generator).tolist()) for piece in pieces]
        stacked = {key: torch.stack([item[key] for item in items]) for key in items[0]}
        records = [self.bank.records[piece.pair] for piece in pieces]
        told = [r.style if r.bpm else None for r in records]
        stacked["style"] = torch.tensor([self.model.style_index(style) for style in told])
        stacked["keep_style"] = torch.tensor([not r.is_dance for r in records])
        return stacked

    def _item(self, piece: _Piece, place: float, song: float) -> dict[str, Tensor]:
        """A random window; a shorter piece holds its last place."""
        config, stride = self.model.config, self.space.frames_per_step
        start = int(place * (max(len(piece.places) - config.window, 0) + 1))
        window = _held(piece.places[start : start + config.window].float(), config.window)
        begin = piece.phase + start * stride
        end = begin + config.window_frames
        record = self.bank.records[piece.pair]
        music = self.bank.music(piece.pair, int(song * record.songs), begin, end)
        beats = self._beats[piece.pair][begin:end]
        missing = config.window_frames - len(beats)
        return {
            "window": window,
            "music": _held(music, config.window_frames),
            "beats": torch.cat([beats, beats.new_zeros(missing)]),
        }


def _kind(record: PairRecord) -> str:
    if not record.bpm:
        return "idle"
    return "dance" if record.is_dance else "rhythmic"


def _held(values: Tensor, length: int) -> Tensor:
    """Values (n, ...) with the last one held up to a length."""
    missing = length - len(values)
    if missing <= 0:
        return values
    return torch.cat([values, values[-1:].expand(missing, *values.shape[1:])])
