"""Multimodal distance: mean distance between motions and their texts."""

from torch import Tensor


def multimodal_distance(texts: Tensor, motions: Tensor) -> float:
    """Return the mean Euclidean distance between paired embeddings (N, D).

    MultiModal Dist of Guo et al., CVPR 2022 (HumanML3D).
    """
    if texts.shape != motions.shape:
        raise ValueError(
            f"texts: expected the shape of motions {tuple(motions.shape)}, got {tuple(texts.shape)}"
        )
    return float((texts.double() - motions.double()).norm(dim=-1).mean())
