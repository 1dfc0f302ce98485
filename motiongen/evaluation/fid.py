"""Frechet distance (FID) between two sets of embeddings."""

import torch
from torch import Tensor


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Return the Frechet distance between Gaussians fitted to two sets of embeddings (N, D) and (M, D).

    FID (Heusel et al., NeurIPS 2017): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). The trace of the root is computed
    from the fp64 eigenvalues of C1^(1/2) C2 C1^(1/2), which is symmetric: no complex parts have to be dropped, and it
    is exact for singular covariances, that is for fewer samples than channels.

    Raises:
        ValueError: fewer than two samples, or different numbers of channels.
    """
    if (
        first.dim() != 2
        or second.dim() != 2
        or first.shape[1] != second.shape[1]
        or min(len(first), len(second)) < 2
    ):
        raise ValueError(
            f"embeddings: expected (N >= 2, D) and (M >= 2, D), got {tuple(first.shape)} and {tuple(second.shape)}; "
            "embed more clips with one evaluator"
        )
    first, second = first.double().cpu(), second.double().cpu()
    shift = (first.mean(0) - second.mean(0)).square().sum()
    cov1, cov2 = torch.cov(first.T), torch.cov(second.T)
    cov1, cov2 = (
        cov1.reshape(first.shape[1], -1),
        cov2.reshape(first.shape[1], -1),
    )  # torch.cov gives a scalar for D = 1
    root = _square_root(cov1)
    product = root @ cov2 @ root
    trace = torch.linalg.eigvalsh((product + product.T) / 2).clamp_min(0).sqrt().sum()
    return float((shift + cov1.trace() + cov2.trace() - 2 * trace).clamp_min(0))


def _square_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T
