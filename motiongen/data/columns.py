"""Columns: which columns of a dataset of demonstrations make the state, the action and the picture of a policy."""

from dataclasses import dataclass

ROLES = ("state", "action", "image")
EXAMPLE = "state=observation.joints+observation.gripper,action=action,image=observation.images.top"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns of a dataset by their role; those of a role that is left empty are the ones of the format's convention.

    Attributes:
        state: columns whose numbers, one after the other, are the state.
        action: columns whose numbers are the action.
        image: column of the one camera; "" for the one that is chosen otherwise.
    """

    state: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    image: str = ""


def parse_columns(text: str) -> Columns:
    """Return the columns that a text names.

    Args:
        text: `role=column` separated by commas, the columns of one role joined by "+":
            "state=observation.joints+observation.gripper,action=action"; "" for the format's convention.

    Raises:
        ValueError: another form, another role, a role twice, or two cameras.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for part in filter(None, text.split(",")):
        role, _, names = (word.strip() for word in part.partition("="))
        columns = tuple(name.strip() for name in names.split("+"))
        if role not in ROLES or role in chosen or not all(columns):
            raise ValueError(
                f"columns: expected {', '.join(f'{role}=COLUMN' for role in ROLES)}, each once at most, "
                f"got {part!r}; write --columns {EXAMPLE}"
            )
        chosen[role] = columns
    image = chosen.pop("image", ())
    if len(image) > 1:
        raise ValueError(f"columns: expected one camera, got image={'+'.join(image)}; name one of them")
    return Columns(**chosen, image="".join(image))
