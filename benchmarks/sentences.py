"""What a sentence costs that is new, beside Hugging Face's transformers: alone, and as one of a batch.

Of the processor's time the least of many runs, for other work on the machine only adds to it; both in turn.

python benchmarks/sentences.py [--runs 100]
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch

from motiongen.conditions.encoder_files import DEFAULT_ENCODER, find_encoder
from motiongen.conditions.other_encoders import load_other
from motiongen.conditions.text import TextEncoder

SENTENCES = (
    "someone waves",
    "a person walks forward",
    "a man jumps over something and then lands on both feet",
    "a person kicks with the right leg twice and then turns around slowly to the left",
)


def spent(work: Callable[[], object]) -> float:
    """Return the milliseconds of the processor that a call takes."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1e3


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    torch.set_num_threads(1)
    encoder, other = TextEncoder.load(), load_other(find_encoder(DEFAULT_ENCODER)).eval()
    batches = [[sentence] for sentence in SENTENCES] + [list(SENTENCES), list(SENTENCES) * 4]
    print(
        "| sentences | word pieces | ms each | transformers, one by one | of it |\n|---:|---:|---:|---:|---:|"
    )
    for batch in batches:
        ids = encoder._tokenize(batch)
        own, theirs = [], []
        for _ in range(runs):
            own.append(spent(partial(encoder.embed, batch)) / len(batch))
            theirs.append(sum(spent(partial(other, [one])) for one in ids) / len(batch))
        pieces = sum(map(len, ids)) / len(ids)
        ratio = f"{min(own) / min(theirs):.2f} x"
        print(f"| {len(batch)} | {pieces:.0f} | {min(own):.1f} | {min(theirs):.1f} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
