"""about.json: the description of a weight set."""

from collections import Counter
from pathlib import Path
from typing import Any

from motiongen.checkpoint import write_json
from motiongen.data.cache import ClipCache
from motiongen.features import FPS


def write_about(folder: Path, cache: ClipCache, licence: str = "") -> None:
    """Write the about.json of a weight set.

    Args:
        folder: of the set, with `tokenizer/` and a folder for each head.
        cache: training data of the weights.
        licence: of the weights; "" for the licences of the data.
    """
    frames: Counter[tuple[str, str]] = Counter()
    for record in cache.records:
        frames[record.source, record.licence] += record.num_frames
    known: dict[str, Any] = cache.info.get("known", {})
    write_json(
        folder / "about.json",
        {
            "licence": licence or " and ".join(sorted({licence for _, licence in frames})),
            "data": [
                f"{source} ({terms}, {count / FPS / 60:.0f} min)"
                for (source, terms), count in frames.most_common()
            ],
            "contents": known.get("contents", {}),
            "styles": known.get("styles", {}),
        },
    )
