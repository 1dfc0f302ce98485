"""Observation and action sizes of a robot policy."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """Observation and action sizes of a policy that predicts action chunks.

    The first of the `horizon` predicted actions belongs to the oldest observation, so `obs_steps` - 1 of them are past;
    the next `action_steps` are executed (Diffusion Policy, Chi et al., RSS 2023, section 3).
    """

    state_dim: int = 16
    """Numbers of a state; tasks with fewer are padded with zeros."""
    action_dim: int = 2
    obs_steps: int = 2
    horizon: int = 16
    action_steps: int = 8
    image_size: int = 0
    """Side of the square camera image, pixels; 0 for a policy without images."""
    crop_size: int = 84
    """Side of the image crop, pixels: random in training, central in use."""
    scene_dim: int = 0
    """Numbers E predicted from an image, such as object positions, and then treated like state numbers; 0 to use image
    features instead, where the data has no such labels."""
    image_width: int = 16
    """Channels of the first stage of the image encoder."""
    cond_dim: int = 128
    """Channels of the encoded observations."""
    obs_layers: int = 2
    """Linear layers of the observation encoder; the published CARP has one."""
    pairs: bool = False
    """Add the differences of all pairs of state numbers as inputs, each normalised by itself: relative positions, which
    a network would otherwise have to find as small differences of large numbers."""
    tasks: tuple[str, ...] = ("",)
    """Instructions of the tasks that the policy is trained on."""
    task_state_dims: tuple[int, ...] = ()
    """Numbers of the state of each task; empty if all have `state_dim`."""
    task_action_dims: tuple[int, ...] = ()
    """Numbers of the action of each task; empty if all have `action_dim`."""

    def __post_init__(self) -> None:
        sizes = ("state_dim", "action_dim", "obs_steps", "horizon", "action_steps", "cond_dim", "obs_layers")
        for name in sizes:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; fix config.json")
        if self.obs_steps - 1 + self.action_steps > self.horizon:
            raise ValueError(
                f"action_steps: expected at most horizon - obs_steps + 1 = {self.chunk_steps}, "
                f"got {self.action_steps}; raise horizon"
            )
        if self.scene_dim and not self.image_size:
            raise ValueError(
                f"scene_dim: expected 0 for a policy without pictures, got {self.scene_dim}; fix config.json"
            )
        if self.image_size and not 8 <= self.crop_size <= self.image_size:
            raise ValueError(
                f"crop_size: expected 8..{self.image_size} pixels, got {self.crop_size}; fix config.json"
            )
        for name in ("task_state_dims", "task_action_dims"):
            if getattr(self, name) and len(getattr(self, name)) != len(self.tasks):
                raise ValueError(f"{name}: expected one for each of {len(self.tasks)} tasks; fix config.json")

    @property
    def chunk_steps(self) -> int:
        """H', actions of a chunk from the newest observation on."""
        return self.horizon - self.obs_steps + 1

    def state_dim_of(self, task: int) -> int:
        """Return the numbers of a state of a task, by its index in `tasks`."""
        return self.task_state_dims[task] if self.task_state_dims else self.state_dim

    def action_dim_of(self, task: int) -> int:
        """Return the numbers of an action of a task, by its index in `tasks`."""
        return self.task_action_dims[task] if self.task_action_dims else self.action_dim
