"""A step that is recorded once and then played without Python: traced on a CPU, captured as a CUDA graph on a GPU."""

import threading
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Step = Callable[..., tuple[Tensor, ...]]
"""A function of tensors alone, whose shapes never change; those of a state are written in place."""


class StepCompiler:
    """Records one function for many states: a traced step is traced once for all states of the same shapes."""

    def __init__(self) -> None:
        self._traced: dict[tuple[torch.Size, ...], Step] = {}
        self._lock = threading.Lock()

    def record(self, step: Step, sent: Sequence[Tensor], state: Sequence[Tensor]) -> Step:
        """Return a step that does the same faster; call it with `sent` tensors of the same shapes, and nothing else.

        What it returns is valid until the next call. It runs a few times while it is recorded.

        Args:
            step: takes the tensors of `sent`, then those of `state`; the same function each time.
            sent: tensors that are new each time; their values must be such that the step leaves no trace.
            state: tensors that stay, if there are any; written in place.
        """
        if sent[0].is_cuda:
            return _CapturedStep(step, sent, state)
        with self._lock:
            shapes = tuple(tensor.shape for tensor in (*sent, *state))
            if shapes not in self._traced:
                self._traced[shapes] = _trace(step, (*sent, *state))
            traced = self._traced[shapes]
        return lambda *fresh: traced(*fresh, *state)


def _trace(step: Step, tensors: Sequence[Tensor]) -> Step:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that shapes are constants is the point
        traced: Step = torch.jit.trace(step, tuple(tensors), check_trace=False)
    for _ in range(2):  # torch optimises it during its first calls, which take twenty times as long
        traced(*tensors)
    return traced


class _CapturedStep:
    """A CUDA graph: one launch for the hundreds of kernels of a step, each of which is shorter than its own launch."""

    def __init__(self, step: Step, sent: Sequence[Tensor], state: Sequence[Tensor]) -> None:
        self._sent = [tensor.clone() for tensor in sent]
        device = sent[0].device
        warm, here = torch.cuda.Stream(device), torch.cuda.current_stream(device)
        warm.wait_stream(here)
        with torch.cuda.stream(
            warm
        ):  # libraries make their workspaces on the first calls, which no graph may hold
            for _ in range(3):
                step(*self._sent, *state)
        here.wait_stream(warm)
        self._graph = torch.cuda.CUDAGraph()
        # Other workers' threads may go on calling CUDA meanwhile.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._made = step(*self._sent, *state)

    def __call__(self, *sent: Tensor) -> tuple[Tensor, ...]:
        for own, fresh in zip(self._sent, sent, strict=True):
            own.copy_(fresh, non_blocking=True)
        self._graph.replay()
        return self._made
