"""Robot demonstrations in LeRobot datasets, apart from the motion datasets: v2 and v3.0 are read, v3.0 is written.

The format is Hugging Face's LeRobotDataset (github.com/huggingface/lerobot): a folder with states and actions in
Parquet files and pictures in videos. `read` and `read_all` return `Demonstrations`, `LeRobotWriter` records them.
"""

try:
    import pyarrow  # noqa: F401
except ImportError as error:
    raise ImportError("LeRobot datasets need pyarrow; run pip install 'motiongen[sim]'") from error

from motiongen_datasets.lerobot.reader import read, read_all
from motiongen_datasets.lerobot.writer import LeRobotWriter

__all__ = ["LeRobotWriter", "read", "read_all"]
