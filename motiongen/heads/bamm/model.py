"""BAMM: text to motion codes, by one transformer that writes from left to right, then revises in both directions.

After BAMM (Pinyoanuntapong et al., ECCV 2024). What differs, and why: both views predict the code after a position, so
that they share one meaning; text is a context of word pieces instead of one CLIP vector; positions are relative; pass 2
re-masks by the real scores of pass 1 (the release's are all zero); every way of editing keeps its text; the length can
be asked for; finer levels come from a residual transformer in the same head (MoMask, Guo et al., CVPR 2024).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.conditions.text import DEFAULT_ENCODER, TextCondition
from motiongen.heads.bamm.masking import hybrid_view
from motiongen.heads.bamm.sampler import Clip, GenerationConfig, Writer
from motiongen.modules.attention import Transformer, TransformerConfig
from motiongen.modules.residual_transformer import CodeVectors, ResidualTransformer
from motiongen.modules.sampling import Generators, item_generators
from motiongen.modules.text_input import TextInput

DEFAULTS = GenerationConfig()


@dataclass(frozen=True, kw_only=True)
class BAMMConfig:
    """Sizes of BAMM; the defaults are the shipped `small` one."""

    num_quantizers: int = 6
    codebook_size: int = 512
    frames_per_token: int = 4
    max_tokens: int = 75
    """Longest clip that is seen at once, in tokens."""
    text_encoder: str = DEFAULT_ENCODER
    text_dim: int = 384
    """Channels of the text encoder."""
    context_dim: int = 96
    """Channels of a word piece inside the model."""
    code_dim: int = 64
    """Channels of a code's vector."""
    dim: int = 192
    num_layers: int = 6
    num_heads: int = 6
    feedforward_dim: int = 448
    residual_dim: int = 128
    residual_layers: int = 3
    residual_heads: int = 4
    residual_feedforward_dim: int = 384
    dropout: float = 0.0
    condition_dropout: float = 0.1
    """Part of the training clips that are seen without their text, for guidance."""
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        for name in (
            "num_quantizers",
            "codebook_size",
            "frames_per_token",
            "max_tokens",
            "text_dim",
            "code_dim",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; fix config.json")
        for name in ("condition_dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; fix config.json")

    @property
    def end(self) -> int:
        """The code that ends a clip; the model's first after the codebook's own."""
        return self.codebook_size

    @property
    def pad(self) -> int:
        """The code after the end of the shorter clips of a batch."""
        return self.codebook_size + 1

    @property
    def mask(self) -> int:
        """The code that hides another."""
        return self.codebook_size + 2

    def transformer(self) -> TransformerConfig:
        """Return the sizes of the transformer over the first level."""
        return TransformerConfig(
            dim=self.dim,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            feedforward_dim=self.feedforward_dim,
            context_dim=self.context_dim,
            dropout=self.dropout,
        )

    def residual_transformer(self) -> TransformerConfig:
        """Return the sizes of the transformer over the finer levels."""
        return TransformerConfig(
            dim=self.residual_dim,
            num_layers=self.residual_layers,
            num_heads=self.residual_heads,
            feedforward_dim=self.residual_feedforward_dim,
            context_dim=self.context_dim,
            dropout=self.dropout,
        )


PRESETS: dict[str, BAMMConfig] = {
    "small": BAMMConfig(),
    "open": BAMMConfig(
        context_dim=64, dim=160, num_layers=4, num_heads=5, feedforward_dim=320,
        residual_dim=96, residual_layers=3, residual_heads=3, residual_feedforward_dim=256,
    ),
    "paper": BAMMConfig(
        max_tokens=49, text_encoder="openai/clip-vit-base-patch32", text_dim=512, context_dim=384, code_dim=384,
        dim=384, num_layers=8, num_heads=6, feedforward_dim=1024,
        residual_dim=384, residual_layers=8, residual_heads=6, residual_feedforward_dim=1024, dropout=0.2,
    ),
}  # fmt: skip


class BAMM(nn.Module):
    """Masked and autoregressive model of motion codes, with their finer levels."""

    model_type = "bamm"

    config_class = BAMMConfig
    options_class = GenerationConfig

    def __init__(self, config: BAMMConfig) -> None:
        super().__init__()
        self.config = config
        self.vectors = CodeVectors(config.num_quantizers, config.codebook_size, config.code_dim)
        self.text = TextInput(config.text_dim, config.context_dim, config.dim)
        self.length = nn.Embedding(config.max_tokens + 1, config.dim)  # 0: not told
        self.special = nn.Parameter(torch.empty(3, config.dim))  # END, PAD, MASK
        self.code_in = nn.Linear(config.code_dim, config.dim)
        self.transformer = Transformer(config.transformer())
        self.code_out = nn.Linear(config.dim, config.code_dim)
        self.end_out = nn.Linear(config.dim, 1)
        self.residual = ResidualTransformer(
            config.residual_transformer(), config.num_quantizers, config.code_dim, config.dim
        )
        nn.init.normal_(self.length.weight, std=0.02)
        nn.init.normal_(self.special, std=0.5)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.special.device

    def embed(self, codes: Tensor) -> Tensor:
        """Return vectors (B, N, D) of first-level codes (B, N), END, PAD and MASK among them."""
        table = torch.cat([self.code_in(self.vectors.vectors[0]), self.special.to(self.code_in.weight.dtype)])
        return F.embedding(codes, table)

    def first_token(self, sentence: Tensor, lengths: Tensor) -> Tensor:
        """Return what stands before the codes (B, 1, D): the sentence (B, D) and the length (B,), 0 if unknown."""
        first: Tensor = sentence + self.length(lengths)
        return first[:, None]

    def logits(self, features: Tensor) -> Tensor:
        """Return logits (..., K + 1) of the code after each position of features (..., D); the last one is END's."""
        return torch.cat(
            [self.vectors.logits(self.code_out(features), 0), self.end_out(features).float()], dim=-1
        )

    def loss(
        self,
        codes: Tensor,
        lengths: Tensor,
        ended: Tensor,
        condition: TextCondition,
        generator: torch.Generator,
        given: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return training losses: `loss` and its parts, cross entropies in nats a code.

        Args:
            codes: (B, N, Q), anything after an item's length.
            lengths: (B,) tokens of each item.
            ended: (B,) bool, whether the item's last token is the clip's last: cut clips have no END.
            condition: B prompts.
            generator: on the CPU.
            given: (B,) leading tokens of another prompt's motion, which are shown and not asked for.
        """
        config, device, (batch, tokens, _) = self.config, codes.device, codes.shape
        lengths, ended = lengths.cpu(), ended.cpu()
        index = torch.arange(tokens + 1)
        valid, at_end = index < lengths[:, None], (index == lengths[:, None]) & ended[:, None]  # (B, N + 1)
        asked = valid if given is None else valid & (index >= given.cpu()[:, None])
        targets = F.pad(codes[..., 0].cpu(), (0, 1)).where(valid, config.pad).masked_fill(at_end, config.end)
        view = hybrid_view(targets, asked, config.mask, generator)
        scored = (view.scored | (at_end & view.causal[:, None])).to(device)
        told = torch.where(ended & view.causal & (torch.rand(batch, generator=generator) < 0.5), lengths, 0)
        dropped = torch.rand(batch, generator=generator) < config.condition_dropout

        context, context_padding, sentence = self.text(condition, dropped.to(device))
        x = torch.cat(
            [self.first_token(sentence, told.to(device)), self.embed(view.inputs.to(device))], dim=1
        )
        padding = F.pad(~(valid | at_end), (1, 0)).to(device)
        base_context = self.transformer.make_context(context, context_padding)
        features = self.transformer(x, base_context, padding, view.causal.to(device))[:, :-1]  # (B, N + 1, D)
        base = self._cross_entropy(self.logits(features[scored]), targets.to(device)[scored])

        level = torch.randint(1, config.num_quantizers, (batch,), generator=generator).to(device)
        valid = valid[:, :-1].to(device)
        residual_context = self.residual.make_context(context, context_padding)
        logits = self.residual(
            codes * valid[..., None], level, ~valid, residual_context, sentence, self.vectors
        )
        fine = codes.gather(2, level[:, None, None].expand(-1, tokens, 1))[..., 0]  # (B, N)
        residual = self._cross_entropy(logits[valid], fine[valid]).mean()
        is_causal = view.causal.to(device)[:, None].expand_as(scored)[scored]
        return {
            "loss": base.mean() + residual,
            "causal": base[is_causal].mean(),
            "masked": base[~is_causal].mean(),
            "residual": residual,
        }

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        smoothing = self.config.label_smoothing if self.training else 0.0
        return F.cross_entropy(logits.float(), targets, reduction="none", label_smoothing=smoothing)

    @torch.no_grad()
    def generate(
        self,
        condition: TextCondition,
        *,
        lengths: Sequence[int | None] | int | None = None,
        prefix_codes: Sequence[Tensor] | None = None,
        generator: Generators = None,
        options: GenerationConfig = DEFAULTS,
    ) -> list[Tensor]:
        """Return new codes (N_i, Q) for each prompt.

        Args:
            condition: B prompts.
            lengths: tokens of each clip, or of all; None lets the model find the end. Any length: what does not fit the
                model's window goes on from the last tokens of the window before.
            prefix_codes: (n_i, Q) codes that each clip goes on from; they are not returned.
            generator: one for all, or one an item, whose clip then does not depend on the others.
            options: how they are written.

        Raises:
            ValueError: sizes that do not fit together, or lengths below 1.
        """
        batch, config = len(condition), self.config
        wanted = [lengths] * batch if lengths is None or isinstance(lengths, int) else list(lengths)
        given = (
            [torch.zeros(0, config.num_quantizers)] * batch if prefix_codes is None else list(prefix_codes)
        )
        for name, values in (("lengths", wanted), ("prefix_codes", given)):
            if len(values) != batch:
                raise ValueError(
                    f"{name}: expected {batch}, one a prompt, got {len(values)}; repeat or leave out"
                )
        if any(length is not None and length < 1 for length in wanted):
            raise ValueError(f"lengths: expected >= 1 token each, got {wanted}; ask for a longer clip")
        generators = item_generators(generator, batch)
        clips = [self._checked(codes) for codes in given]
        goals = [None if want is None else len(clip) + want for clip, want in zip(clips, wanted, strict=True)]
        open_items = list(range(batch))
        while open_items:
            tails = [clips[i][max(0, len(clips[i]) - self._overlap(options)) :] for i in open_items]
            missing = [None if (goal := goals[i]) is None else goal - len(clips[i]) for i in open_items]
            writer = Writer(self, condition[open_items], [generators[i] for i in open_items], options)
            new = writer.write(tails, missing)
            for i, codes in zip(open_items, new, strict=True):
                clips[i] = torch.cat([clips[i], codes])
            open_items = [i for i in open_items if (goal := goals[i]) is not None and goal > len(clips[i])]
        return [clip[len(codes) :] for clip, codes in zip(clips, given, strict=True)]

    @torch.no_grad()
    def edit(
        self,
        codes: Sequence[Tensor],
        keep_mask: Sequence[Tensor],
        condition: TextCondition,
        *,
        generator: Generators = None,
        options: GenerationConfig = DEFAULTS,
    ) -> list[Tensor]:
        """Return codes (N_i, Q) where what is kept is as it was and the rest is written anew, all levels of it.

        What is kept decides what this does: both ends, in-between; the start, a continuation of given length; the end,
        a lead-in; nothing, a clip of given length.

        Args:
            codes: (N_i, Q) codes; any values where they are not kept.
            keep_mask: (N_i,) bool, true = keep.
            condition: one prompt an item.
            generator: one for all, or one an item.
            options: how they are written.

        Raises:
            ValueError: sizes that do not fit together.
        """
        if not len(codes) == len(keep_mask) == len(condition):
            counts = f"{len(codes)}, {len(keep_mask)} and {len(condition)}"
            raise ValueError(
                f"codes, keep_mask, condition: expected as many of each, got {counts}; repeat the prompt"
            )
        clips, keeps = (
            [self._checked(item).clone() for item in codes],
            [keep.to(self.device) for keep in keep_mask],
        )
        for clip, keep in zip(clips, keeps, strict=True):
            if keep.shape != clip.shape[:1] or keep.dtype != torch.bool:
                got = f"{tuple(keep.shape)} {keep.dtype}"
                raise ValueError(f"keep_mask: expected ({len(clip)},) bools, got {got}; one a token")
        generators, window = item_generators(generator, len(clips)), self.config.max_tokens
        while open_items := [i for i, keep in enumerate(keeps) if not keep.all()]:
            spans = []
            for i in (
                open_items
            ):  # start a little before what is to be written, for context, and end inside the clip
                start = int((~keeps[i]).int().argmax()) - self._overlap(options)
                start = max(0, min(start, len(clips[i]) - window))
                spans.append(slice(start, min(start + window, len(clips[i]))))
            parts = [
                Clip(clips[i][span], keeps[i][span], ended=span.stop == len(clips[i]))
                for i, span in zip(open_items, spans, strict=True)
            ]
            writer = Writer(self, condition[open_items], [generators[i] for i in open_items], options)
            writer.fill(parts, options.edit_steps)
            writer.write_finer(parts)
            for i, span, part in zip(open_items, spans, parts, strict=True):
                clips[i][span], keeps[i] = part.codes, keeps[i].clone()
                keeps[i][span] = True
        return clips

    def _overlap(self, options: GenerationConfig) -> int:
        """Tokens of its past that a window sees: never so many that nothing new fits beside them."""
        return min(options.overlap, self.config.max_tokens // 2)

    def _checked(self, codes: Tensor) -> Tensor:
        levels, size = self.config.num_quantizers, self.config.codebook_size
        if (
            codes.dim() != 2
            or codes.shape[1] != levels
            or (len(codes) and not 0 <= codes.min() <= codes.max() < size)
        ):
            expected = f"(N, {levels}) in 0..{size - 1}"
            raise ValueError(
                f"codes: expected {expected}, got {tuple(codes.shape)}; take this head's tokenizer"
            )
        return codes.to(self.device, torch.long)
