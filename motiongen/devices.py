"""Names of devices."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]
"""auto is CUDA where there is one."""


def resolve_device(name: "str | torch.device" = "auto") -> "torch.device":
    """Return the device of a name: "auto" is CUDA where there is one; others are torch's, such as "cuda:1".

    Raises:
        ValueError: no device is called so, or it is not there.
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
