"""Shared parts of reports: Markdown tables, and writing of report.md and report.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motiongen.atomic import atomic_path


def table(columns: Mapping[str, tuple[str, str]], rows: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the lines of a Markdown table of those columns that at least one row has.

    Args:
        columns: key -> heading and number format, in order.
        rows: name of a row -> its values by key.
    """
    shown = [key for key in columns if any(key in row for row in rows.values())]
    lines = [
        "| | " + " | ".join(columns[key][0] for key in shown) + " |",
        "| --- |" + " ---: |" * len(shown),
    ]
    for name, row in rows.items():
        cells = [columns[key][1].format(row[key]) if key in row else "" for key in shown]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def save_report(directory: str | Path, markdown: str, record: Mapping[str, Any]) -> None:
    """Write report.md and report.json to a folder, which is created if missing."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.md", markdown), ("report.json", json.dumps(record, indent=1))):
        with atomic_path(directory / name) as path:
            path.write_text(text, encoding="utf-8")
