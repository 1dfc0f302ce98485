"""Step compilation benchmark on a CPU: eager, traced, torch.compile, bfloat16 and int8.

python benchmarks/step_kinds.py [--weights full] [--threads 1] [--tokens 100] [--alone 1250]

All variants have the same past as the eager one: where a variant samples another code, it is replaced.
"""

import argparse
import copy
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from motiongen import load
from motiongen.heads.mogo.config import MogoOptions
from motiongen.inference.model import Model
from motiongen.step_compiler import StepCompiler
from motiongen.streaming.stream_batch import StreamBatch

PROMPTS = (
    "a person walks forward",
    "a person waves with the right hand",
    "a person kicks",
    "a person dances salsa",
)


class Plain(StepCompiler):
    """Runs steps eagerly."""

    def record(self, step: Callable, inputs: list[Tensor], state: list[Tensor]) -> Callable:
        return lambda *new: step(*new, *state)


class Compiled(StepCompiler):
    """Compiles steps by torch.compile."""

    def record(self, step: Callable, inputs: list[Tensor], state: list[Tensor]) -> Callable:
        fast = torch.compile(step, dynamic=False)
        fast(*inputs, *state)
        return lambda *new: fast(*new, *state)


class NarrowLinear(nn.Module):
    """Linear layer in bfloat16 with float32 inputs and outputs."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = copy.deepcopy(linear).bfloat16()

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.bfloat16()).float()


def narrow(model: Model) -> tuple[nn.Module, nn.Module]:
    """Return head and tokenizer, with the linear layers of the head in bfloat16."""
    head = copy.deepcopy(model.head)
    for module in list(head.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Linear:
                setattr(module, name, NarrowLinear(child))
    return head, model.tokenizer


def quantized(model: Model) -> tuple[nn.Module, nn.Module]:
    """Return head and tokenizer, with the linear layers of the head in int8 (dynamic quantization)."""
    head = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model.head), {nn.Linear}, dtype=torch.qint8)
    return head, model.tokenizer


KINDS: dict[str, tuple[Callable, type[StepCompiler]]] = {
    "plain": (lambda model: (model.head, model.tokenizer), Plain),
    "traced (ships)": (lambda model: (model.head, model.tokenizer), StepCompiler),
    "torch.compile": (lambda model: (model.head, model.tokenizer), Compiled),
    "bfloat16, traced": (narrow, StepCompiler),
    "int8, plain": (quantized, Plain),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="open")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 64])
    parser.add_argument(
        "--alone", type=int, default=1250, help="tokens of the streams of both sizes of batch"
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    warnings.simplefilter("ignore")
    model = load("mogo", args.weights, "cpu")
    print(f"torch {torch.__version__}, {args.threads} threads\n")
    print(
        "| streams in a batch | kind | ms a step | against plain | first codes that differ | of all codes |"
    )
    print("|---:|---|---:|---:|---:|---:|")
    for size in args.sizes:
        right, base = None, 0.0
        for name, (make, how) in KINDS.items():
            try:
                codes, spent = write(model, make, how, size, args.tokens, right)
            except Exception as error:  # a variant that this torch does not support has a row too
                print(f"| {size} | {name} | {str(error).splitlines()[0][:80]} | | | |", flush=True)
                continue
            right, base = (codes, spent) if right is None else (right, base)
            differs = codes != right  # (tokens, B, Q)
            shares = f"{differs[..., 0].float().mean():.2%} | {differs.float().mean():.2%}"
            print(f"| {size} | {name} | {spent * 1e3:.1f} | {base / spent:.2f} x | {shares} |", flush=True)

    small, large = (write(model, *KINDS["traced (ships)"], size, args.alone, None)[0] for size in (8, 64))
    differs = (small != large[:, :8]).any(dim=-1)  # (tokens, 8)
    firsts = [int(row.nonzero()[0, 0]) for row in differs.T if row.any()]
    print(f"\n8 streams of {args.alone} tokens, alone in a batch of 8 and among others in a batch of 64:")
    print(f"{len(firsts)} come to differ, after {sorted(firsts)} tokens")


def write(
    model: Model, make: Callable, how: type[StepCompiler], size: int, tokens: int, right: Tensor | None
) -> tuple[Tensor, float]:
    """Return the codes (tokens, B, Q) that a batch samples, each with the reference past, and seconds a step."""
    head, tokenizer = make(model)
    batch = StreamBatch(head, tokenizer, size, 2, MogoOptions(), how())
    items = range(size)
    batch.seed[:] = range(size)
    batch.set_text(items, model.text.encode([PROMPTS[n % len(PROMPTS)] for n in items]))
    drawn, spent = [], []
    for token in range(tokens):
        batch.age[:] = token % 60 + 1
        began = time.perf_counter()
        codes, _, _ = batch.step(items)
        spent.append(time.perf_counter() - began)
        drawn.append(codes.clone())
        if right is not None:
            for item in (codes != right[token]).any(dim=1).nonzero()[:, 0].tolist():
                batch.rewind(item, 1)
                batch.push(item, right[token, item][None], torch.tensor([token % 60 + 1]))
    return torch.stack(drawn), float(torch.tensor(spent).median())


if __name__ == "__main__":
    main()
