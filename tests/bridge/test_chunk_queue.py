"""The actions in hand: what is late is left out, and seams are blended."""

import numpy as np
import pytest

from motiongen_bridge.chunk_queue import ChunkQueue


def chunk(*actions):
    return np.array(actions, np.float32)[:, None]


def popped(queue, count):
    return [float(queue.pop()[0]) for _ in range(count)]


def test_a_chunk_that_comes_late_begins_at_the_current_step():
    queue = ChunkQueue(blend=0)
    queue.add(chunk(0, 1, 2, 3), 0)
    assert popped(queue, 2) == [0, 1]
    assert queue.add(chunk(10, 11, 12, 13), 0) is False  # not newer than the one in hand
    assert queue.add(chunk(11, 12, 13, 14), 1) and queue.delay == 1
    assert popped(queue, 3) == [12, 13, 14] and queue.left == 0


def test_a_seam_is_blended_step_by_step():
    queue = ChunkQueue(blend=3)
    queue.add(chunk(0, 0, 0, 0, 0, 0), 0)
    popped(queue, 1)
    queue.add(chunk(8, 8, 8, 8, 8, 8), 1)
    assert popped(queue, 6) == [2, 4, 6, 8, 8, 8]


def test_only_what_overlaps_is_blended():
    queue = ChunkQueue(blend=4)
    queue.add(chunk(0, 0), 0)
    popped(queue, 1)
    queue.add(chunk(6, 6, 6), 1)
    assert popped(queue, 3) == [3, 6, 6]


def test_without_an_action_in_hand_the_last_one_is_repeated_and_counted():
    queue = ChunkQueue()
    with pytest.raises(LookupError, match="expected a chunk, got none yet"):
        queue.pop()
    queue.add(chunk(5), 0)
    assert popped(queue, 3) == [5, 5, 5] and (queue.repeated, queue.step) == (2, 3)


def test_a_chunk_that_is_over_is_dropped():
    queue = ChunkQueue()
    queue.add(chunk(1, 2), 0)
    popped(queue, 4)
    assert not queue.add(chunk(3, 4), 2) and queue.dropped == 1
    assert queue.add(chunk(3, 4), 3) and popped(queue, 1) == [4]


def test_blend_is_checked():
    with pytest.raises(ValueError, match="blend: expected 0 or more steps, got -1"):
        ChunkQueue(-1)
