"""Device names and their resolution to torch devices."""

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
