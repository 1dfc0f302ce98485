"""The processes of a training: one alone, or several that torchrun starts and that share the batches of each step.

All hold the same model and draw the same numbers, but each computes the gradients of its own batches. What a step
learns from is summed over them, so that their number changes how long a step takes, not what it does.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

PATIENCE = timedelta(hours=2)
"""How long the others wait for one of them, which may be validating or reading a large cache."""
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Processes:
    """This process among those of a training.

    Attributes:
        rank: its number, from 0; the first one writes, logs and validates.
        count: how many there are.
        device: of the tensors that they exchange.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = _CPU

    @classmethod
    def current(cls, device: torch.device = _CPU) -> "Processes":
        """Return this process among those that are `joined`, or alone."""
        if not (dist.is_available() and dist.is_initialized()):
            return cls(device=device)
        return cls(dist.get_rank(), dist.get_world_size(), device)

    @property
    def is_first(self) -> bool:
        """Whether this process writes, logs and validates."""
        return self.rank == 0

    def own(self, batches: int) -> range:
        """Return which of the batches of a step are this process's."""
        return range(self.rank, batches, self.count)

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """Return the sums of numbers over the processes."""
        if self.count == 1:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        with _others_live():
            dist.all_reduce(total)
        return total.tolist()

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their sums over the processes; what no process has a gradient of keeps none."""
        if self.count == 1:
            return
        parameters = list(parameters)
        sizes = [parameter.numel() for parameter in parameters]
        has = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([has, *(gradient.flatten() for gradient in own)])
        with _others_live():
            dist.all_reduce(flat)
        having, total = flat[: len(has)].tolist(), flat[len(has) :].split(sizes)
        for parameter, how_many, gradient in zip(parameters, having, total, strict=True):
            parameter.grad = gradient.view_as(parameter) if how_many else None

    @torch.no_grad()
    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Copy the values of the first process's tensors to those of the others, in place."""
        if self.count == 1:
            return
        for tensor in tensors:
            whole = tensor.contiguous()
            with _others_live():
                dist.broadcast(whole, 0)
            tensor.copy_(whole)

    def gather(self, own: Sequence[Tensor]) -> list[Tensor]:
        """Return the tensors of all batches of a step, in their order.

        Args:
            own: those of the batches `own` names; all processes have as many, of the same shape.
        """
        if self.count == 1:
            return list(own)
        everyones = []
        for tensor in own:
            row = [torch.empty_like(tensor) for _ in range(self.count)]
            with _others_live():
                dist.all_gather(row, tensor.contiguous())
            everyones += row
        return everyones

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.sum([0.0])

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first process do something before the others: it writes files that they then read."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun, or whatever sets its variables, has started; without them, this one is alone.

    Args:
        device: name of the device of the training; of several GPUs of a machine each process takes its own.

    Raises:
        ValueError: fewer GPUs than processes, or variables that are not all there.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    on_cuda = device != "cpu" and torch.cuda.is_available()
    if on_cuda:
        number, found = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if number >= found:
            raise ValueError(
                f"processes: expected a GPU for each, got {found} for process {number + 1} of this machine; "
                f"start {found} with --nproc-per-node {found}, or give --device cpu"
            )
        torch.cuda.set_device(number)
    dist.init_process_group("nccl" if on_cuda else "gloo", timeout=PATIENCE)
    try:
        yield Processes.current()
    finally:
        dist.destroy_process_group()


@contextmanager
def _others_live() -> Iterator[None]:
    """Tell in words that another process is gone, where torch tells of sockets."""
    try:
        yield
    except RuntimeError as error:
        raise ChildProcessError(
            "processes: another one of the training ended early; go on from the last checkpoint with --resume"
        ) from error
