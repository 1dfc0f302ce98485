"""Reconstruction error: mean joint error of reconstructed motion."""

from torch import Tensor

from motiongen.kinematics import local_positions


def mean_joint_error(features: Tensor, reference: Tensor) -> float:
    """Return the mean joint error, mm, of feature frames (..., T, 140), with pelvis and heading aligned.

    MPJPE (Ionescu et al., TPAMI 2014, Human3.6M) after alignment of the root, as usual for motion tokenizers.

    Raises:
        ValueError: different shapes.
    """
    if features.shape != reference.shape:
        raise ValueError(
            f"features: expected shape {tuple(reference.shape)}, got {tuple(features.shape)}; cut to one length"
        )
    return 1000.0 * float((local_positions(features) - local_positions(reference)).norm(dim=-1).mean())
