import numpy as np
import pytest

from motiongen.streaming.frame_ring import FrameRing, StreamFrame


def frame(seq):
    return StreamFrame(
        seq, np.full((22, 4), seq, dtype=np.float32), np.full(3, -seq, dtype=np.float32), 5, seq + 1
    )


def test_the_last_frames_are_there_oldest_first():
    ring = FrameRing(4)
    for seq in range(7):
        ring.append(frame(seq))
    assert [f.seq for f in ring] == [3, 4, 5, 6] and len(ring) == 4
    assert ring[-1].seq == 6 and ring[0].seq == 3 and ring[-1].obeys == 7 and ring[-1].contacts == 5
    assert ring[1].rotations[3, 2] == 4 and ring[1].root[0] == -4


def test_a_frame_that_was_looked_at_does_not_change():
    ring = FrameRing(1)
    ring.append(frame(1))
    seen = ring[0]
    ring.append(frame(2))
    assert seen.root[0] == -1


def test_there_are_no_others():
    ring = FrameRing(3)
    ring.append(frame(0))
    with pytest.raises(IndexError, match="frame 1 of 1"):
        ring[1]
