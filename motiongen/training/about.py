"""about.json: what a set of weights says of itself, wherever its weights are named."""

from collections import Counter
from pathlib import Path
from typing import Any

from motiongen.checkpoint import write_json
from motiongen.data.cache import ClipCache
from motiongen.features import FPS


def write_about(folder: Path, cache: ClipCache, licence: str = "") -> None:
    """Write about.json for weights that were trained on a cache.

    Args:
        folder: of the set: it holds `tokenizer/` and a folder for each head.
        cache: what they were trained on.
        licence: the terms of the weights; the licences of the data, all of them, when left out.
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
