"""Devices: one object for every spelling, and one line for what is not there."""

import pytest
import torch

from motiongen.devices import limit_threads, resolve_device, threads_for

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_every_spelling_of_the_cpu_is_one_device():
    spellings = ("cpu", "cpu:0", torch.device("cpu"), torch.device("cpu", 0))
    assert {resolve_device(name) for name in spellings} == {torch.device("cpu")}


@no_gpu
def test_auto_is_the_cpu_without_a_gpu():
    assert resolve_device() == resolve_device("auto") == torch.device("cpu")


@gpu
def test_every_spelling_of_the_gpu_is_one_device():
    spellings = ("auto", "cuda", "cuda:0", torch.device("cuda"))
    assert {resolve_device(name) for name in spellings} == {torch.device("cuda", 0)}


@no_gpu
def test_cuda_without_a_gpu_is_one_line_that_says_what_to_do():
    with pytest.raises(
        ValueError, match=r"^device: expected a CUDA device for 'cuda', found none; use cpu, or"
    ):
        resolve_device("cuda")


def test_a_gpu_beyond_those_there_are_is_refused():
    with pytest.raises(ValueError, match="expected a CUDA device for 'cuda:99', found"):
        resolve_device("cuda:99")


@pytest.mark.parametrize("name", ["tpu", "", "cpu:x"])
def test_what_no_device_is_called_is_refused(name):
    with pytest.raises(ValueError, match=f"device: expected auto, cpu or cuda, got '{name}'; check the name"):
        resolve_device(name)


@pytest.mark.parametrize("name", ["meta", "xpu"])
def test_a_device_that_cannot_compute_here_is_refused(name):
    with pytest.raises(ValueError, match=f"device: expected one that is available, got '{name}'"):
        resolve_device(name)


@pytest.mark.parametrize(("clips", "available", "threads"), [(1, 8, 1), (2, 8, 2), (16, 2, 2), (16, 1, 1)])
def test_one_clip_takes_one_thread_and_batches_two(clips, available, threads):
    assert threads_for(clips, available) == threads


def test_threads_that_the_user_chose_stay(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    limit_threads(16)
    assert torch.get_num_threads() == before
