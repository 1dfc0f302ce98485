"""LeRobot datasets, the folders in which robots' demonstrations are published: v2.1 and v3.0 are read, v3.0 written.

The layout is Hugging Face's (github.com/huggingface/lerobot, LeRobotDataset): numbers in Parquet, pictures in video.
"""

try:
    import pyarrow  # noqa: F401
except ImportError as error:
    raise ImportError("LeRobot datasets need pyarrow; run pip install 'motiongen[sim]'") from error

from motiongen_datasets.lerobot.reader import read, read_all
from motiongen_datasets.lerobot.writer import LeRobotWriter

__all__ = ["LeRobotWriter", "read", "read_all"]
