"""Device names and their resolution to torch devices, and how many threads of a CPU what is done there takes."""

import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]
"""auto is CUDA if available, else the CPU."""


def resolve_device(name: "str | torch.device" = "auto") -> "torch.device":
    """Return the torch device of a name; "cuda" becomes the current GPU with its index.

    Args:
        name: "auto" (CUDA where there is one), "cpu", "cuda", or a name of torch's such as "cuda:1".

    Raises:
        ValueError: no device has that name, or it is not available.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device: expected auto, cpu or cuda, got {name!r}; check the name") from None
    if device.type == "cpu":
        return torch.device("cpu")  # "cpu:0" is the same one
    if device.type == "cuda":
        return _cuda(device)
    try:
        torch.empty(0, device=device).tolist()  # what holds no values, as "meta", is no device to compute on
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ValueError(
            f"device: expected one that is available, got {str(device)!r}; use auto, cpu or cuda"
        ) from None
    return device


def _cuda(device: "torch.device") -> "torch.device":
    """Return a CUDA device with its index. Raises ValueError if it is not there."""
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= found:
        raise ValueError(
            f"device: expected a CUDA device for {str(device)!r}, found {found or 'none'}; use cpu, or install a CUDA "
            "build of torch"
        )
    return torch.device("cuda", torch.cuda.current_device() if device.index is None else device.index)


def threads_for(clips: int, available: int) -> int:
    """Return the threads with which to write so many clips at once.

    A second thread hardly helps one clip, whose steps are small; beside a busy core both wait for it in a spin, and the
    clip takes half as long again.

    Args:
        clips: that are one batch.
        available: threads that torch would take.
    """
    return 1 if clips == 1 else min(2, available)


def limit_threads(clips: int) -> None:
    """Let torch take `threads_for` so many clips, in a process of a command's own; OMP_NUM_THREADS goes first."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(threads_for(clips, torch.get_num_threads()))
