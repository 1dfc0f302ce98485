"""Reconstruction metrics of a tokenizer: joints, height, floor, path, codebook use, speed, jerk and foot sliding."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen.body_floor import LOW_PELVIS, lowest_gap
from motiongen.contacts import CONTACT_INDEX
from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import local_positions, world_velocities
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.reconstruction_loss import WRISTS
from motiongen.world_positions import standing_positions, world_positions

SPAN = 60
"""Frames after which the world's error begins anew."""


@dataclass(frozen=True)
class ReconstructionTotals:
    """Sums over clips from which the metrics are computed; the totals of several sources can be added.

    Attributes:
        sums: by name.
        used: (Q, K) bool, codes in use.
    """

    sums: dict[str, float]
    used: Tensor

    def __add__(self, other: "ReconstructionTotals") -> "ReconstructionTotals":
        sums = {key: value + other.sums[key] for key, value in self.sums.items()}
        return ReconstructionTotals(sums, self.used | other.used)

    def metrics(self) -> dict[str, float]:
        """Return the metrics by name.

        Returns:
            `mm` and `mm_level1`: mean joint error with all levels and the first alone, millimetres, pelvis and
            heading aligned. `hands_mm`: that of the wrists, all levels. `height_mm`: mean error of the pelvis's height.
            `world_mm`: mean joint error in the world over spans of two seconds, each begun at the true place.
            `gap_mm`: mean error of the gap between the floor and the body's lowest part; `low_gap_mm` in frames whose
            pelvis is below LOW_PELVIS, and `low_share` how many those are. `use_min`: the least part of a level's codes
            in use. `speed`, `jerk`, `slide`: ratio to the source's of joint speed, of jerk, and of the speed of feet
            that stand.
        """
        sums = self.sums
        return {
            "mm": 1000 * sums["error"] / sums["frames"],
            "mm_level1": 1000 * sums["error1"] / sums["frames"],
            "hands_mm": 1000 * sums["hands"] / sums["frames"],
            "height_mm": 1000 * sums["height"] / sums["frames"],
            "world_mm": 1000 * sums["world"] / sums["frames"],
            "gap_mm": 1000 * sums["gap"] / sums["frames"],
            "low_gap_mm": 1000 * sums["low_gap"] / max(sums["low_frames"], 1e-9),
            "low_share": sums["low_frames"] / sums["frames"],
            "use_min": float(self.used.float().mean(1).min()),
            **{key: sums[key] / max(sums["true_" + key], 1e-9) for key in ("speed", "jerk", "slide")},
        }


def reconstruction_metrics(model: RVQVAE, clips: Sequence[Tensor]) -> dict[str, float]:
    """Return the reconstruction metrics of clips (T_i, D); see `ReconstructionTotals.metrics`."""
    return reconstruction_totals(model, clips).metrics()


@torch.no_grad()
def reconstruction_totals(
    model: RVQVAE, clips: Sequence[Tensor], batch_size: int = 32
) -> ReconstructionTotals:
    """Return the totals of clips.

    Args:
        model: the tokenizer.
        clips: (T_i, D) features, at least one clip; each is tokenized as a whole.
        batch_size: clips of a batch.
    """
    totals: dict[str, float] = {}
    used = torch.zeros(model.config.num_quantizers, model.config.codebook_size, dtype=torch.bool)
    for chunk in _batches(clips, batch_size):
        lengths = torch.tensor([len(clip) for clip in chunk])
        padded = torch.nn.utils.rnn.pad_sequence(list(chunk), batch_first=True)  # (B, T, D)
        codes = model.encode(padded.to(model.mean.device))
        tokens = (lengths + model.config.frames_per_token - 1) // model.config.frames_per_token
        for item, count in zip(codes.cpu(), tokens.tolist(), strict=True):
            for level in range(codes.shape[-1]):
                used[level, item[:count, level]] = True
        decoded = [
            model.decode(codes[..., :levels])[:, : padded.shape[1]].cpu() for levels in (codes.shape[-1], 1)
        ]
        for key, value in _sums(padded, decoded[0], decoded[1], lengths).items():
            totals[key] = totals.get(key, 0.0) + value
    return ReconstructionTotals(totals, used)


def _sums(true: Tensor, all_levels: Tensor, first_level: Tensor, lengths: Tensor) -> dict[str, float]:
    valid = (torch.arange(true.shape[1]) < lengths[:, None]).float()  # (B, T)
    positions = local_positions(true)
    sums = {"frames": float(valid.sum())}
    distance = (local_positions(all_levels) - positions).norm(dim=-1)  # (B, T, 22)
    first_distance = (local_positions(first_level) - positions).norm(dim=-1)
    means = {
        "error": distance.mean(-1),
        "error1": first_distance.mean(-1),
        "hands": distance[..., WRISTS].mean(-1),
    }
    sums |= {key: float((mean * valid).sum()) for key, mean in means.items()}
    sums |= _floor_sums(true, all_levels, valid)
    planted = true[:, 1:, LAYOUT["contacts"]] > 0.5
    for prefix, motion in (("", all_levels), ("true_", true)):
        velocities = world_velocities(motion, local_positions(motion))  # (B, T - 1, 22, 3)
        speed = velocities.norm(dim=-1)
        jerk = (velocities[:, 2:] - 2 * velocities[:, 1:-1] + velocities[:, :-2]).norm(dim=-1) * FPS**2
        later = valid[:, 1:]
        sums[prefix + "speed"] = float((speed.mean(-1) * later).sum())
        sums[prefix + "jerk"] = float((jerk.mean(-1) * valid[:, 3:]).sum())
        sums[prefix + "slide"] = float((speed[..., CONTACT_INDEX] * planted * later[..., None]).sum())
    return sums


def _floor_sums(true: Tensor, decoded: Tensor, valid: Tensor) -> dict[str, float]:
    standing, true_standing = standing_positions(decoded), standing_positions(true)  # (B, T, 22, 3)
    gap = (lowest_gap(standing) - lowest_gap(true_standing)).abs()  # (B, T)
    height = (decoded - true)[..., LAYOUT["height"]].abs().squeeze(-1)
    low = valid * (true[..., LAYOUT["height"]].squeeze(-1) < LOW_PELVIS)
    spans = _spans(decoded), _spans(true)  # (B * spans, T, 140)
    world = (world_positions(spans[0]) - world_positions(spans[1])).norm(dim=-1).mean(-1)
    return {
        "height": float((height * valid).sum()),
        "gap": float((gap * valid).sum()),
        "low_gap": float((gap * low).sum()),
        "low_frames": float(low.sum()),
        "world": float((world.reshape(len(true), -1)[:, : valid.shape[1]] * valid).sum()),
    }


def _spans(frames: Tensor) -> Tensor:
    """Return frames (B, T, D) cut into spans (B * ceil(T / SPAN), SPAN, D), the last one filled up with zeros."""
    missing = -frames.shape[1] % SPAN
    filled = torch.nn.functional.pad(frames, (0, 0, 0, missing))
    return filled.unflatten(1, (-1, SPAN)).flatten(0, 1)


def _batches(clips: Sequence[Tensor], size: int) -> list[Sequence[Tensor]]:
    ordered = sorted(clips, key=len)  # little padding
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]
