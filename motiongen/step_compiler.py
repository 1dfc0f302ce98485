"""Step compiler: traces a step function on a CPU (TorchScript) and captures it as a CUDA graph on a GPU."""

import threading
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Step = Callable[..., tuple[Tensor, ...]]
"""A function of tensors with fixed shapes; state tensors among its arguments are updated in place."""


class StepCompiler:
    """Compiles one step function for many states; states of equal shapes share one trace."""

    def __init__(self) -> None:
        self._traced: dict[tuple[torch.Size, ...], Step] = {}
        self._lock = threading.Lock()

    def record(self, step: Step, inputs: Sequence[Tensor], state: Sequence[Tensor]) -> Step:
        """Return a compiled step, which is called with tensors of the shapes of `inputs` only.

        Its outputs are valid until the next call. The step is run a few times while it is compiled.

        Args:
            step: called as `step(*inputs, *state)`; the same function at every call of `record`.
            inputs: example inputs, with values for which the step leaves the state unchanged.
            state: tensors bound to the compiled step, updated in place; may be empty.
        """
        if inputs[0].is_cuda:
            return _CapturedStep(step, inputs, state)
        with self._lock:
            shapes = tuple(tensor.shape for tensor in (*inputs, *state))
            if shapes not in self._traced:
                self._traced[shapes] = _trace(step, (*inputs, *state))
            traced = self._traced[shapes]
        return lambda *new: traced(*new, *state)


def _trace(step: Step, tensors: Sequence[Tensor]) -> Step:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant shapes are intended
        traced: Step = torch.jit.trace(step, tuple(tensors), check_trace=False)
    for _ in range(2):  # torch optimises a trace during its first calls, which take twenty times as long
        traced(*tensors)
    return traced


class _CapturedStep:
    """A step captured as a CUDA graph: one launch for hundreds of kernels that are shorter than their own launches."""

    def __init__(self, step: Step, inputs: Sequence[Tensor], state: Sequence[Tensor]) -> None:
        self._inputs = [tensor.clone() for tensor in inputs]
        device = inputs[0].device
        warmup, current = torch.cuda.Stream(device), torch.cuda.current_stream(device)
        warmup.wait_stream(current)
        # Libraries allocate workspaces during the first calls, which must not be captured.
        with torch.cuda.stream(warmup):
            for _ in range(3):
                step(*self._inputs, *state)
        current.wait_stream(warmup)
        self._graph = torch.cuda.CUDAGraph()
        # thread_local: other threads may call CUDA during the capture.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._outputs = step(*self._inputs, *state)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        for static, new in zip(self._inputs, inputs, strict=True):
            static.copy_(new, non_blocking=True)
        self._graph.replay()
        return self._outputs
