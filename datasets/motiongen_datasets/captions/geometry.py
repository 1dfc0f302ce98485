"""Which hand or foot acts, which way a clip turns and travels: measured by the core, said by the captions."""

from motiongen.evaluation.geometry import describe_motion

__all__ = ["describe_motion"]
