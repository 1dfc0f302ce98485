"""Rotations as tensors: unit quaternions (x, y, z, w), matrices, 6-D, axis-angle and Euler angles.

Every function takes any leading shape, keeps the dtype it is given and is differentiable. Quaternions are the
storage form everywhere in motiongen; the other forms are for models (6-D) and files (Euler).
"""

import torch
from torch import Tensor

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def quat_identity(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return identity quaternions of shape (*shape, 4)."""
    quats = torch.zeros(*shape, 4, dtype=dtype)
    quats[..., 3] = 1.0
    return quats


def quat_normalize(quats: Tensor) -> Tensor:
    """Return quats (..., 4) scaled to unit length."""
    return quats / quats.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(quats.dtype).tiny)


def quat_multiply(a: Tensor, b: Tensor) -> Tensor:
    """Return the Hamilton product a b (..., 4): the rotation that applies b first, then a."""
    ax, ay, az, aw = a.unbind(-1)
    bx, by, bz, bw = b.unbind(-1)
    return torch.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        dim=-1,
    )


def quat_inverse(quats: Tensor) -> Tensor:
    """Return the inverse of unit quats (..., 4)."""
    return quats * quats.new_tensor([-1.0, -1.0, -1.0, 1.0])


def quat_rotate(quats: Tensor, vectors: Tensor) -> Tensor:
    """Return vectors (..., 3) rotated by unit quats (..., 4)."""
    xyz, w = quats[..., :3], quats[..., 3:]
    xyz, vectors = torch.broadcast_tensors(xyz, vectors)
    cross = 2 * torch.linalg.cross(xyz, vectors)
    return vectors + w * cross + torch.linalg.cross(xyz, cross)


def quat_angle(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle (...) in [0, pi] radians of the rotation that leads from a to b."""
    delta = quat_multiply(quat_inverse(a), b)
    # atan2 keeps its precision at tiny angles, where acos(w) has lost half of its digits.
    return 2 * torch.atan2(delta[..., :3].norm(dim=-1), delta[..., 3].abs())


def quat_slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """Return the rotation a fraction t of the shorter way from a to b.

    Args:
        a: unit quaternions (..., 4).
        b: unit quaternions (..., 4).
        t: fraction in [0, 1], a number or a tensor that broadcasts against (...).
    """
    step = axis_angle_from_quat(quat_multiply(quat_inverse(a), b))
    if isinstance(t, Tensor):
        t = t.to(a.dtype).unsqueeze(-1)
    return quat_multiply(a, quat_from_axis_angle(step * t))


def quat_unroll(quats: Tensor, dim: int = 0) -> Tensor:
    """Return the same rotations with signs chosen so that neighbours along dim lie on the same half-sphere."""
    if quats.shape[dim] < 2:
        return quats
    quats = quats.movedim(dim, 0)
    dots = (quats[1:] * quats[:-1]).sum(-1, keepdim=True)
    flips = torch.where(dots < 0, -1.0, 1.0).to(quats.dtype).cumprod(dim=0)
    return torch.cat([quats[:1], quats[1:] * flips], dim=0).movedim(0, dim)


def quat_between(u: Tensor, v: Tensor) -> Tensor:
    """Return the shortest rotation (..., 4) that turns direction u (..., 3) into direction v (..., 3)."""
    u = u / u.norm(dim=-1, keepdim=True)
    v = v / v.norm(dim=-1, keepdim=True)
    u, v = torch.broadcast_tensors(u, v)
    quats = torch.cat([torch.linalg.cross(u, v), 1 + (u * v).sum(-1, keepdim=True)], dim=-1)
    # Opposite directions: any axis across u will do; take the one across its smallest component.
    helper = torch.nn.functional.one_hot(u.abs().argmin(-1), 3).to(u.dtype)
    half_turn = torch.cat([torch.linalg.cross(u, helper), torch.zeros_like(u[..., :1])], dim=-1)
    return quat_normalize(torch.where(quats[..., 3:] < 1e-6, half_turn, quats))


def quat_yaw(angle: Tensor) -> Tensor:
    """Return rotations (..., 4) by angle (...) radians about +Y: +90 degrees turns +Z (forward) to +X (left)."""
    zero = torch.zeros_like(angle)
    return torch.stack([zero, torch.sin(angle / 2), zero, torch.cos(angle / 2)], dim=-1)


def heading_angle(quats: Tensor) -> Tensor:
    """Return the angle (...) about +Y in (-pi, pi] of the twist of quats (..., 4) (swing-twist decomposition).

    Unlike the direction of the rotated +Z on the ground, it stays steady while a body bends or lies down; it is
    undefined only upside down.
    """
    angle = 2 * torch.atan2(quats[..., 1], quats[..., 3])
    return torch.atan2(torch.sin(angle), torch.cos(angle))


def mirror_quat(quats: Tensor) -> Tensor:
    """Return rotations (..., 4) seen in the mirror x -> -x."""
    return quats * quats.new_tensor([1.0, -1.0, -1.0, 1.0])


def matrix_from_quat(quats: Tensor) -> Tensor:
    """Return rotation matrices (..., 3, 3) of unit quats (..., 4)."""
    x, y, z, w = quats.unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)  # (..., 3, 3)


def quat_from_matrix(matrices: Tensor) -> Tensor:
    """Return unit quats (..., 4), w >= 0, of rotation matrices (..., 3, 3).

    Of the four algebraically equal forms the one with the largest divisor is taken (Shepperd, 1978).
    """
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = matrices.flatten(-2).unbind(-1)
    # Each row is the quaternion times four times one of its components: x, y, z, w.
    candidates = torch.stack(
        [
            torch.stack([1 + m00 - m11 - m22, m01 + m10, m02 + m20, m21 - m12], dim=-1),
            torch.stack([m01 + m10, 1 - m00 + m11 - m22, m12 + m21, m02 - m20], dim=-1),
            torch.stack([m02 + m20, m12 + m21, 1 - m00 - m11 + m22, m10 - m01], dim=-1),
            torch.stack([m21 - m12, m02 - m20, m10 - m01, 1 + m00 + m11 + m22], dim=-1),
        ],
        dim=-2,
    )  # (..., 4, 4)
    best = torch.diagonal(candidates, dim1=-2, dim2=-1).argmax(-1)  # (...)
    index = best[..., None, None].expand(*best.shape, 1, 4)
    quats = quat_normalize(candidates.gather(-2, index).squeeze(-2))
    return torch.where(quats[..., 3:] < 0, -quats, quats)


def sixd_from_matrix(matrices: Tensor) -> Tensor:
    """Return the first two columns (..., 6) of rotation matrices (Zhou et al. 2019)."""
    return torch.cat([matrices[..., :, 0], matrices[..., :, 1]], dim=-1)


def matrix_from_6d(sixd: Tensor) -> Tensor:
    """Return rotation matrices (..., 3, 3) of any 6-D vectors (..., 6) by Gram-Schmidt (Zhou et al. 2019, eq. 15)."""
    a, b = sixd[..., :3], sixd[..., 3:]
    x = torch.nn.functional.normalize(a, dim=-1, eps=1e-8)
    y = torch.nn.functional.normalize(b - (x * b).sum(-1, keepdim=True) * x, dim=-1, eps=1e-8)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def sixd_from_quat(quats: Tensor) -> Tensor:
    """Return 6-D vectors (..., 6) of unit quats (..., 4)."""
    return sixd_from_matrix(matrix_from_quat(quats))


def quat_from_6d(sixd: Tensor) -> Tensor:
    """Return unit quats (..., 4) of 6-D vectors (..., 6)."""
    return quat_from_matrix(matrix_from_6d(sixd))


def quat_from_axis_angle(vectors: Tensor) -> Tensor:
    """Return unit quats (..., 4) of rotation vectors (..., 3): axis times angle in radians."""
    angle = vectors.norm(dim=-1, keepdim=True)
    # torch.sinc(x) = sin(pi x) / (pi x) has no hole at zero: tiny turns keep all their digits.
    return torch.cat([0.5 * vectors * torch.sinc(angle / (2 * torch.pi)), torch.cos(angle / 2)], dim=-1)


def axis_angle_from_quat(quats: Tensor) -> Tensor:
    """Return rotation vectors (..., 3), angle in [0, pi], of unit quats (..., 4)."""
    quats = torch.where(quats[..., 3:] < 0, -quats, quats)
    half = torch.atan2(quats[..., :3].norm(dim=-1, keepdim=True), quats[..., 3:])
    return 2 * quats[..., :3] / torch.sinc(half / torch.pi)


def quat_from_euler(angles: Tensor, order: str) -> Tensor:
    """Return unit quats (..., 4) of intrinsic Euler angles.

    Args:
        angles: (..., 3) radians, in the order of the letters.
        order: one of EULER_ORDERS; "ZXY" is Rz Rx Ry, as a BVH line "Zrotation Xrotation Yrotation" reads.
    """
    first, second, third = (_axis_quat(angles[..., i], _axis(order, i)) for i in range(3))
    return quat_multiply(quat_multiply(first, second), third)


def euler_from_quat(quats: Tensor, order: str) -> Tensor:
    """Return intrinsic Euler angles (..., 3) in radians; the inverse of quat_from_euler.

    The middle angle lies in [-pi/2, pi/2]; at its ends (gimbal lock) the third angle is set to zero.
    """
    i, j, k = (_axis(order, n) for n in range(3))
    sign = 1.0 if (j - i) % 3 == 1 else -1.0  # even or odd permutation of x, y, z
    m = matrix_from_quat(quats)
    sine = sign * m[..., i, k]
    cosine = torch.hypot(m[..., i, i], m[..., i, j])
    locked = cosine < 1e-6
    first = torch.where(
        locked,
        torch.atan2(sign * m[..., k, j], m[..., j, j]),
        torch.atan2(-sign * m[..., j, k], m[..., k, k]),
    )
    third = torch.where(locked, torch.zeros_like(sine), torch.atan2(-sign * m[..., i, j], m[..., i, i]))
    return torch.stack([first, torch.atan2(sine, cosine), third], dim=-1)


def _axis(order: str, position: int) -> int:
    if order not in EULER_ORDERS:
        raise ValueError(
            f"order: expected one of {', '.join(EULER_ORDERS)}, got {order!r}; use three axes, each once"
        )
    return "XYZ".index(order[position])


def _axis_quat(angle: Tensor, axis: int) -> Tensor:
    parts = [torch.zeros_like(angle)] * 3 + [torch.cos(angle / 2)]
    parts[axis] = torch.sin(angle / 2)
    return torch.stack(parts, dim=-1)
