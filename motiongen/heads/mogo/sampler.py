"""Offline sampling of Mogo: its streaming step, run until each clip ends."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.conditions.text import TextCondition
from motiongen.heads.code_sampler import checked_prefixes, requested_lengths
from motiongen.heads.mogo.config import MogoOptions
from motiongen.heads.mogo.model import DEFAULTS, Mogo
from motiongen.heads.mogo.stream import MogoState
from motiongen.heads.streaming_head import TokenRequest
from motiongen.modules.sampling import Generators, item_generators


class MogoSampler:
    """Samples codes from a Mogo; see `CodeSampler`."""

    def __init__(self, model: Mogo) -> None:
        self.model = model

    @torch.no_grad()
    def generate(
        self,
        condition: TextCondition,
        *,
        lengths: Sequence[int | None] | int | None = None,
        prefix_codes: Sequence[Tensor] | None = None,
        generator: Generators = None,
        options: MogoOptions = DEFAULTS,
    ) -> list[Tensor]:
        """Return new codes (N_i, Q) for each prompt.

        Args:
            condition: B prompts.
            lengths: tokens of each clip, or of all; None lets the model end the clip.
            prefix_codes: (n_i, Q) codes that each clip continues; they are not returned.
            generator: one for the batch, or one for each item, which is then independent of the others.
            options: sampling options.

        Raises:
            ValueError: sizes that do not match, or lengths below 1.
        """
        model, batch = self.model, len(condition)
        device, config = model.device, model.config
        requested = requested_lengths(lengths, batch)
        prefixes = checked_prefixes(prefix_codes, batch, config.num_quantizers, config.codebook_size, device)
        seeds = [
            torch.randint(2**62, (1,), generator=own, device=own.device).item()
            for own in item_generators(generator, batch)
        ]
        state = model.init_state(batch)
        self._push(prefixes, state)
        model.set_text(state, range(batch), condition)
        longest = torch.tensor([length or options.max_tokens for length in requested], device=device)
        has_length = torch.tensor([length is not None for length in requested], device=device)
        tokens: list[Tensor] = []
        lengths_found, active = longest.clone(), torch.ones(batch, dtype=torch.bool, device=device)
        scale = torch.full((batch,), options.guidance_scale, device=device)
        seed = torch.tensor(seeds, device=device)
        while bool(active.any()):
            age = torch.full_like(longest, len(tokens) + 1)
            remaining = torch.where(has_length, longest - len(tokens), 0)
            token, ended = model.step(state, TokenRequest(age, remaining, scale, seed, active), options)
            finished = ended & ~has_length & (len(tokens) >= options.min_tokens)
            lengths_found = torch.where(active & finished, len(tokens), lengths_found)
            tokens.append(token)
            active = active & ~finished & (len(tokens) < longest)
        codes = torch.stack(tokens, dim=1)  # (B, N, Q)
        return [item[:length] for item, length in zip(codes, lengths_found.tolist(), strict=True)]

    def _push(self, prefixes: list[Tensor], state: MogoState) -> None:
        """Append the prefixes (n_i, Q) to the streams; only the part within the window of the model is needed."""
        model = self.model
        tails = [codes[-model.config.window :] for codes in prefixes]
        longest = max(len(tail) for tail in tails)
        if longest:
            codes = torch.stack([F.pad(tail, (0, 0, 0, longest - len(tail))) for tail in tails])
            lengths = torch.tensor([len(tail) for tail in tails], device=model.device)
            model.push(codes, state, torch.arange(longest, device=model.device) >= lengths[:, None])
