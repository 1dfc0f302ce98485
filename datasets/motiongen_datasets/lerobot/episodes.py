"""Where each episode of a LeRobot dataset lies: v3.0 says so in Parquet, v2.1 by its file's name."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motiongen_datasets.lerobot.info import VERSION, Info
from motiongen_datasets.lerobot.tables import read_table

EPISODES, OLD_EPISODES = "meta/episodes", "meta/episodes.jsonl"


@dataclass(frozen=True)
class Episode:
    """One episode.

    Attributes:
        index: its number.
        length: frames.
        instruction: what it is an example of, in words.
        data: the Parquet file that has its numbers, perhaps beside others'.
        videos: camera's column -> the video that has its pictures, and when they begin in it, seconds.
    """

    index: int
    length: int
    instruction: str
    data: Path
    videos: dict[str, tuple[Path, float]] = field(default_factory=dict)


def read_episodes(info: Info, videos: Iterable[str], chosen: Iterable[int] | None = None) -> list[Episode]:
    """Return a dataset's episodes in order.

    Args:
        info: the dataset.
        videos: columns of the cameras whose videos are asked for.
        chosen: numbers of the episodes; all for None.

    Raises:
        ValueError: a file or a column is missing or broken, there are no episodes, or not those that are chosen.
    """
    columns = tuple(videos)
    found = _episodes(info, columns) if info.version == VERSION else _old_episodes(info, columns)
    if not found:
        raise ValueError(f"{info.folder}: expected at least one episode, got an empty dataset")
    by_index = {episode.index: episode for episode in found}
    wanted = sorted(by_index) if chosen is None else list(chosen)
    for index, times in Counter(wanted).items():
        if index not in by_index or times > 1:
            raise ValueError(
                f"{info.folder}: episodes: expected 0 to {max(by_index)}, each once, got {index}"
            )
    if not wanted:
        raise ValueError(f"{info.folder}: episodes: expected at least one, got none")
    return [by_index[index] for index in wanted]


def _episodes(info: Info, videos: tuple[str, ...]) -> list[Episode]:
    places = ("chunk_index", "file_index")
    columns = ["episode_index", "tasks", "length", *(f"data/{place}" for place in places)]
    columns += [f"videos/{column}/{what}" for column in videos for what in (*places, "from_timestamp")]
    paths = sorted((info.folder / EPISODES).glob("*/*.parquet"))
    if not paths:
        raise ValueError(f"{info.folder / EPISODES}: expected Parquet files, found none")
    episodes = []
    for path in paths:
        for row in _rows(path, columns):
            here = {place: row[f"data/{place}"] for place in places}
            parts = {}
            for column in videos:
                there = {place: row[f"videos/{column}/{place}"] for place in places}
                video = info.path(info.video_path, video_key=column, **there)
                parts[column] = (video, row[f"videos/{column}/from_timestamp"])
            data = info.path(info.data_path, **here)
            episodes.append(Episode(row["episode_index"], row["length"], _first(row["tasks"]), data, parts))
    return episodes


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    table = read_table(path, columns)
    for column in columns:
        if table.column(column).null_count:
            raise ValueError(f"{path}: {column}: expected a value for each episode, got some without")
    return table.to_pylist()


def _old_episodes(info: Info, videos: tuple[str, ...]) -> list[Episode]:
    path = info.folder / OLD_EPISODES
    if not path.is_file():
        raise ValueError(f"{path}: expected a file, found none")
    episodes = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            index, length, tasks = int(row["episode_index"]), int(row["length"]), list(row["tasks"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}: line {number}: expected episode_index, length and tasks, got {line[:80]!r}"
            ) from error
        place = {"episode_chunk": index // info.chunk_size, "episode_index": index}
        data = info.path(info.data_path, **place)
        parts = {column: (info.path(info.video_path, video_key=column, **place), 0.0) for column in videos}
        episodes.append(Episode(index, length, _first(tasks), data, parts))
    return episodes


def _first(tasks: Sequence[str]) -> str:
    return tasks[0] if tasks else ""
