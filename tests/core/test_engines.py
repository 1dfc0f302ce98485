"""Engines: the same results from any number of workers, whoever of them dies."""

import multiprocessing
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from motiongen.engines import ENGINES, in_order, opened


class Halver:
    """Halves even numbers. Of some it dies at first, of others always."""

    def __init__(self, folder: Path, once=(), always=()):
        self.folder, self.once, self.always = folder, once, always
        self.closed = False

    def run(self, task):
        assert torch.get_num_threads() == 1
        mark = self.folder / f"died-{task}"
        if task in self.always or (task in self.once and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if task % 2:
            raise ValueError(f"task: expected an even number, got {task}")
        return task // 2

    def close(self):
        self.closed = True


def halved(engine, tasks, folder, workers=2, **deaths):
    with opened(engine, partial(Halver, folder, **deaths), workers) as run:
        return list(in_order(run(tasks)))


def test_one_worker_is_this_process_and_is_closed(tmp_path):
    worker, threads = Halver(tmp_path), torch.get_num_threads()
    torch.set_num_threads(2)
    with opened("local", lambda: worker, 1) as run:
        assert dict(run([2, 4])) == {0: 1, 1: 2} and dict(run([])) == {}
        assert torch.get_num_threads() == 2  # its own work alone is bound to one
    torch.set_num_threads(threads)
    assert worker.closed


def test_results_come_in_the_order_of_their_tasks():
    assert list(in_order(iter([(2, "c"), (0, "a"), (1, "b"), (3, "d")]))) == ["a", "b", "c", "d"]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_what_killed_workers_were_doing_is_done_again(engine, tmp_path, request):
    if engine == "ray":
        request.getfixturevalue("two_nodes")
    assert halved(engine, range(0, 24, 2), tmp_path, once=(4, 22)) == list(range(12))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_work_that_kills_whoever_does_it_ends_in_words(engine, tmp_path, request):
    if engine == "ray":
        request.getfixturevalue("two_nodes")
    with pytest.raises(
        ChildProcessError, match="workers: expected them to live, got 3 that died over the same"
    ):
        halved(engine, [0, 2, 4], tmp_path, always=(2,))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_of_the_work_is_the_callers(engine, tmp_path, request):
    if engine == "ray":
        request.getfixturevalue("two_nodes")
    with pytest.raises(ValueError, match="expected an even number, got 3"):
        halved(engine, [2, 3], tmp_path)


class Waiter:
    """Leaves a mark with the number of its process, and waits."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, task):
        (self.folder / str(os.getpid())).touch()
        time.sleep(600)

    def close(self):
        pass


def wait_for_ever(folder):
    with opened("local", partial(Waiter, folder), 2) as run:
        list(run([1, 2]))


def is_running(number: str) -> bool:
    stat = Path("/proc") / number / "stat"
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux for processes")
def test_workers_end_when_who_started_them_is_killed(tmp_path):
    parent = multiprocessing.get_context("spawn").Process(target=wait_for_ever, args=(tmp_path,))
    parent.start()
    waited = time.monotonic() + 300
    while len(list(tmp_path.iterdir())) < 2:
        assert time.monotonic() < waited
        time.sleep(0.1)
    workers = [path.name for path in tmp_path.iterdir()]
    parent.kill()
    parent.join()
    while any(map(is_running, workers)):
        assert time.monotonic() < waited
        time.sleep(0.1)


class Placed:
    """Tells on which node of a cluster it is, after a while."""

    def run(self, seconds):
        import ray

        time.sleep(seconds)
        return ray.get_runtime_context().get_node_id()

    def close(self):
        pass


@pytest.mark.slow
def test_work_goes_to_both_nodes_and_on_without_one_that_is_lost(two_nodes):
    with opened("ray", Placed) as run:  # as many at a time as there are cores
        assert len({node for _, node in run([0.3] * 12)}) == 2
    lost = two_nodes.add_node(num_cpus=1)
    with opened("ray", Placed, 3) as run:
        nodes = []
        for count, (_, node) in enumerate(run([0.5] * 20)):
            nodes.append(node)
            if count == 4:
                two_nodes.remove_node(lost, allow_graceful=False)
    assert len(nodes) == 20 and len(set(nodes[-4:])) <= 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("rey", 1), "engine: expected one of local, ray, got 'rey'"),
        (("local", -1), "workers: expected 0 or more"),
    ],
)
def test_mistakes_are_named(wrong, told):
    with pytest.raises(ValueError, match=told):
        opened(wrong[0], partial(Halver, Path()), wrong[1])
