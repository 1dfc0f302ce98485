"""Device names and their resolution to torch devices."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]
"""auto is CUDA if available, else the CPU."""


def resolve_device(name: "str | torch.device" = "auto") -> "torch.device":
    """Return the torch device of a name.

    Args:
        name: "auto" for CUDA if available, else the CPU; or a torch device such as "cpu" or "cuda:1".

    Raises:
        ValueError: an unknown name, or a device that is not available.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device: expected auto, cpu or cuda, got {name!r}; check the name") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise ValueError(
            f"device: expected a CUDA device for {str(device)!r}, found {found or 'none'}; use cpu, or install a CUDA "
            "build of torch"
        )
    return device
