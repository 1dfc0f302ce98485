"""How far a reconstructed pose is from the one that went in."""

from torch import Tensor

from motiongen.kinematics import local_positions


def mean_joint_error(features: Tensor, reference: Tensor) -> float:
    """Return the mean distance of joints, mm, between feature frames (..., T, 140), pelvis and heading aligned.

    MPJPE (Ionescu et al., TPAMI 2014, Human3.6M) after alignment of the root, as tokenizers of motion report it.
    """
    if features.shape != reference.shape:
        raise ValueError(
            f"features: expected shape {tuple(reference.shape)}, got {tuple(features.shape)}; cut to one length"
        )
    return 1000.0 * float((local_positions(features) - local_positions(reference)).norm(dim=-1).mean())
