"""Trainings that several processes share: the same numbers as in one, one who writes, a stop that loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from motiongen.training.processes import Processes, joined
from tests.conftest import ROOT
from tests.core.training.shared_steps import FEW_STEPS, train_all
from tests.core.training.test_loop import trainer
from tests.core.training.tiny import captioned_cache

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one_with_twice_the_batch(tmp_path):
    command = [*TORCHRUN, "-m", "tests.core.training.shared_steps", str(tmp_path / "two")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment())
    assert done.returncode == 0, done.stderr
    shared, alone = json.loads(done.stdout), train_all(tmp_path / "one")
    assert set(shared) == {"tokenizer", "action_vq", "encoder", "bamm", "mogo", "badm", "carp", "policy"}
    for name, losses in alone.items():
        assert len(set(losses)) > FEW_STEPS / 4
        assert shared[name] == pytest.approx(losses, rel=1e-6, abs=1e-6), name


def test_without_a_launcher_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("auto") as processes:
        assert processes == Processes() and list(processes.own(3)) == [0, 1, 2]


def test_batches_are_dealt_out_by_number():
    assert [list(Processes(rank, 3).own(6)) for rank in range(3)] == [[0, 3], [1, 4], [2, 5]]


def test_the_number_of_batches_is_that_with_which_the_run_began(tmp_path):
    run = trainer(tmp_path, accumulate=2)
    run.train_step()
    run.save()
    with pytest.raises(
        ValueError, match=r"accumulate: expected 2 batches a step, .* got 3; give --accumulate 2"
    ):
        trainer(tmp_path, accumulate=3).load()


def launched(folder, *options, processes=2, to="set", **more):
    """A process that trains a tokenizer, or several by torchrun."""
    program = [*TORCHRUN[:-1], str(processes)] if processes > 1 else [sys.executable]
    command = [*program, "-m", "motiongen", "train", "tokenizer", "--data", str(folder / "cache"), "-o"]
    sizes = ["--batch-size", "2", "--window", "16", "--kinematic-items", "2", "--device", "cpu"]
    command += [str(folder / to), *sizes, *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes, **more)


def log_of(folder, to="set"):
    lines = (folder / to / "tokenizer" / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_a_run_is_written_once_and_goes_on_in_another_number_of_processes(tmp_path):
    captioned_cache(tmp_path / "cache")
    options = ["--accumulate", "2", "--log-every", "1", "--warmup", "0", "--decay", "0"]
    for to, processes, steps, more in (("set", 2, 4, []), ("set", 1, 6, ["--resume"]), ("one", 1, 6, [])):
        with launched(tmp_path, *options, "--steps", str(steps), *more, processes=processes, to=to) as run:
            out, errors = run.communicate()
        assert run.returncode == 0, errors
        assert out.splitlines()[-1] == str(tmp_path / to / "tokenizer") and out.count("/mm ") == 1
    parts, whole = ([e for e in log_of(tmp_path, to) if e["event"] == "losses"] for to in ("set", "one"))
    assert [event["step"] for event in parts] == [1, 2, 3, 4, 5, 6]
    for name in ("loss", "norm"):
        assert [event[name] for event in parts] == pytest.approx([event[name] for event in whole], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_launcher_stops_all_with_a_checkpoint(tmp_path, number):
    captioned_cache(tmp_path / "cache")
    options = ["--accumulate", "2", "--log-every", "1", "--steps", "100000"]
    with launched(tmp_path, *options, start_new_session=True) as run:
        waited = time.monotonic() + 300
        while not (tmp_path / "set" / "tokenizer" / "log.jsonl").exists() or len(log_of(tmp_path)) < 4:
            assert run.poll() is None and time.monotonic() < waited, run.communicate()
            time.sleep(0.2)
        if number == signal.SIGINT:
            os.killpg(run.pid, number)  # as a terminal does, to the launcher and to its processes
        else:
            run.send_signal(number)
        _, errors = run.communicate()
    assert run.returncode != 0 and errors.count("motiongen: error: interrupted") == 1, errors
    assert errors.count("is saved, go on with --resume") == 1
    record = json.loads((tmp_path / "set" / "tokenizer" / "checkpoint" / "state.json").read_text())
    assert record["step"] >= log_of(tmp_path)[-1]["step"] >= 3


@pytest.mark.slow
def test_too_few_batches_for_the_processes_are_one_line(tmp_path):
    captioned_cache(tmp_path / "cache")
    with launched(tmp_path, "--steps", "3") as run:
        _, errors = run.communicate()
    lines = [line for line in errors.splitlines() if line.startswith("motiongen: error: ")]
    told = (
        "accumulate: expected a multiple of the 2 processes, which share the batches of a step, got 1; give"
    )
    assert lines == [f"motiongen: error: {told} --accumulate 2"], errors
