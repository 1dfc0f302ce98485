"""The page of a server in a headless Chromium, for tests: opened, and ready once its first character is drawn."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.bridge import chromium
from tests.bridge import viewer_requirements as requirements

SIZE = (720, 520)
CHARACTER = "motiongen.characters[0]"
MOVES = f"{CHARACTER}.group.visible && {CHARACTER}.remote.latest.obeys > 0"
"""Whether the first character obeys its first prompt."""


@contextmanager
def browsing(more: Sequence[str] = ()) -> Iterator[chromium.Page]:
    """Start a Chromium with one tab and more flags; skip or fail the test without it, or without a built viewer."""
    requirements.require_viewer()
    requirements.require_browser()
    with chromium.browse(more) as browser:
        yield browser


@contextmanager
def showing(
    browser: chromium.Page,
    url: str,
    query: str = "prompt=walk",
    *,
    ready: str = MOVES,
    size: tuple[int, int] = SIZE,
) -> Iterator[chromium.Page]:
    """Open a server's page and wait until it is ready; in the end nothing was tried that it may not do."""
    browser.complaints.clear()
    browser.open(f"{url}?quality=0.3&theme=light&{query}", size)
    browser.wait(ready, chromium.START)
    yield browser
    assert browser.complaints == []
