"""Statistics of a stream, by hand."""

import numpy as np
import pytest

from motiongen_bridge.frame_rate import frame_rate
from motiongen_bridge.stream_stats import StreamStats
from motiongen_bridge.top_view import top_view
from tests.bridge.wire import HELLO, frame


@pytest.mark.parametrize("fps", [None, 0, "30", True, float("nan")])
def test_a_rate_that_makes_no_sense_is_refused(fps):
    with pytest.raises(ValueError, match=r"hello: expected fps 1\.\.1000"):
        frame_rate({"fps": fps})


def test_a_tally_by_hand():
    # 3 m along X and 4 m back along Z: 7 m. Idling after verb 2 keeps its number; an event tells it.
    stats, idle = StreamStats(("walk", "bow")), [{"event": "obeys", "number": 3, "seq": 60, "text": "idle"}]
    stats.start(HELLO)
    for one in (
        frame(0, obeys=2),
        frame(30, obeys=2, x=3),
        frame(45, obeys=3, x=3),
        frame(60, obeys=3, x=3, z=4),
    ):
        stats.add(one, idle, late=0.002)
    assert stats.walked == pytest.approx(7) and (stats.frames, stats.dropped) == (4, 57)
    assert [text for *_, text in stats.captions()] == ["walk", "bow", "idle"]
    assert [start for start, *_ in stats.captions()] == [0.0, 1.5, 2.0]


def test_the_view_from_above_has_z_up_and_x_to_the_left():
    north = top_view(np.float32([[0, 0], [0, 1], [0, 2]]), columns=9, rows=5)
    assert north[0][4] == "●" and north[4][4] not in "⠀●"
    west = top_view(np.float32([[0, 0], [1, 0], [2, 0]]), columns=9, rows=5)
    assert west[2][0] == "●" and west[2][8] != "⠀"
    assert top_view([]) == []
