"""How Mogo samples codes for a file: its stream, run until each clip ends."""

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
            lengths: tokens of each clip, or of all; None lets the model find the end.
            prefix_codes: (n_i, Q) codes that each clip goes on from; they are not returned.
            generator: one for all, or one an item, whose clip then does not depend on the others.
            options: how they are written.

        Raises:
            ValueError: sizes that do not fit together, or lengths below 1.
        """
        model, batch = self.model, len(condition)
        device, config = model.device, model.config
        wanted = requested_lengths(lengths, batch)
        prefixes = checked_prefixes(prefix_codes, batch, config.num_quantizers, config.codebook_size, device)
        seeds = [
            torch.randint(2**62, (1,), generator=own, device=own.device).item()
            for own in item_generators(generator, batch)
        ]
        state = model.init_state(batch)
        self._push(prefixes, state)
        model.set_text(state, range(batch), condition)
        goal = torch.tensor([length or options.max_tokens for length in wanted], device=device)
        told = torch.tensor([length is not None for length in wanted], device=device)
        written: list[Tensor] = []
        stops, going = goal.clone(), torch.ones(batch, dtype=torch.bool, device=device)
        scale = torch.full((batch,), options.guidance_scale, device=device)
        seed = torch.tensor(seeds, device=device)
        while bool(going.any()):
            age = torch.full_like(goal, len(written) + 1)
            request = TokenRequest(age, torch.where(told, goal - len(written), 0), scale, seed, going)
            token, ended = model.step(state, request, options)
            over = ended & ~told & (len(written) >= options.min_tokens)
            stops = torch.where(going & over, len(written), stops)
            written.append(token)
            going = going & ~over & (len(written) < goal)
        codes = torch.stack(written, dim=1)  # (B, N, Q)
        return [row[:stop] for row, stop in zip(codes, stops.tolist(), strict=True)]

    def _push(self, prefixes: list[Tensor], state: MogoState) -> None:
        """Show the model what each clip goes on from, of which its window sees the end only."""
        model = self.model
        tails = [codes[-model.config.window :] for codes in prefixes]
        longest = max(len(tail) for tail in tails)
        if longest:
            codes = torch.stack([F.pad(tail, (0, 0, 0, longest - len(tail))) for tail in tails])
            lengths = torch.tensor([len(tail) for tail in tails], device=model.device)
            model.push(codes, state, torch.arange(longest, device=model.device) >= lengths[:, None])
