"""What a robot policy sees, and the chunk of actions that it answers with."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """What a policy sees, and the chunk of actions that it answers with.

    Of `horizon` actions the first belongs to the oldest observation, and so `obs_steps` - 1 of them are past; the next
    `action_steps` are executed (Diffusion Policy, Chi et al., RSS 2023, section 3).
    """

    state_dim: int = 16
    """Numbers of a state; tasks with fewer are filled up with zeros."""
    action_dim: int = 2
    obs_steps: int = 2
    horizon: int = 16
    action_steps: int = 8
    image_size: int = 0
    """Side of the square picture, pixels; 0 for policies that see none."""
    crop_size: int = 84
    """Side of the part of it that is looked at: anywhere in training, the middle later."""
    scene_dim: int = 0
    """Numbers E that are read from a picture: places of things, which are then seen like the state's. 0 for the points
    of the picture instead, where nobody can say what is where."""
    image_width: int = 16
    """Channels of the picture encoder's first stage."""
    cond_dim: int = 128
    """Numbers that the observations become."""
    obs_layers: int = 2
    """Linear layers that make them; the published CARP has one."""
    pairs: bool = False
    """See the differences of all pairs of a state's numbers too, each normalised by itself: where one thing is from
    another, which a network otherwise has to find as the small rest of large numbers."""
    tasks: tuple[str, ...] = ("",)
    """Instructions of the tasks that it knows."""
    task_state_dims: tuple[int, ...] = ()
    """Numbers of each task's state; all `state_dim` when empty."""
    task_action_dims: tuple[int, ...] = ()
    """Numbers of each task's action; all `action_dim` when empty."""

    def __post_init__(self) -> None:
        sizes = ("state_dim", "action_dim", "obs_steps", "horizon", "action_steps", "cond_dim", "obs_layers")
        for name in sizes:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; fix config.json")
        if self.obs_steps - 1 + self.action_steps > self.horizon:
            raise ValueError(
                f"action_steps: expected at most horizon - obs_steps + 1 = {self.horizon - self.obs_steps + 1}, "
                f"got {self.action_steps}; raise horizon"
            )
        if self.scene_dim and not self.image_size:
            raise ValueError("scene_dim: expected 0 for a policy without pictures; set image_size")
        if self.image_size and not 8 <= self.crop_size <= self.image_size:
            raise ValueError(
                f"crop_size: expected 8..{self.image_size} pixels, got {self.crop_size}; see image_size"
            )
        for name in ("task_state_dims", "task_action_dims"):
            if getattr(self, name) and len(getattr(self, name)) != len(self.tasks):
                raise ValueError(f"{name}: expected one for each of {len(self.tasks)} tasks; fix config.json")
