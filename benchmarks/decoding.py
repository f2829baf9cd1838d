"""CPU time of a decoding step at a large vocabulary, with two ways to draw a token.

python -m benchmarks.decoding [--rows 4] [--length 128] [--vocab 50257] [--width 256] [--steps 4]

The first steps of each sampler with random weights, from nothing but BOS; a step unmasks or inserts
as many tokens as the sampler does by default. One thread; the ways alternate, and the smallest of
three runs counts. `multinomial`: draws by torch.multinomial, a random number for each token of the
vocabulary; `sums`: by cumulative sums, a random number for each position, as packages do.
"""

import argparse
import importlib
import itertools
import os
import sys
import time
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from benchmarks.runs import build, workplace
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

SAMPLERS = (
    ("mdlm_samplers", "ancestral"),
    ("mdlm_samplers", "random"),
    ("mdlm_samplers", "confidence"),
    ("mdlm_samplers", "mask_predict"),
    ("arlm", ""),
    ("ilm", ""),
)
TRIES = 3


def multinomial(p: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    return torch.multinomial(p, 1, generator=rng)[:, 0]


@torch.no_grad()
def seconds(package, sampler: str, model, config, x, steps: int) -> float:
    """CPU seconds of a step: of the first ones, without the state before any."""
    rng = torch.Generator().manual_seed(0)
    sample = package.SAMPLERS[sampler] if sampler else package.sample
    states = sample(model, config, x, rng)
    next(states)
    begun = time.process_time()
    done = sum(1 for _ in itertools.islice(states, steps))
    return (time.process_time() - begun) / done


def compared(name: str, sampler: str, args: argparse.Namespace) -> dict[str, str]:
    package = importlib.import_module(name)
    rules = importlib.import_module(f"{name}.rules")
    config = package.Config.small()
    parts = {"layers": args.layers, "width": args.width, "heads": max(1, args.width // 64)}
    config = replace(
        config,
        backbone=replace(config.backbone, **parts),
        vocab=replace(config.vocab, size=args.vocab),
    )
    torch.manual_seed(0)
    model = package.Model(config).eval()
    first = torch.arange(args.length).expand(args.rows, -1) == 0
    tokens = torch.full(first.shape, config.vocab.bos)
    x = package.Examples(tokens, torch.ones_like(first), first)
    ways = {"multinomial": multinomial, "sums": rules.categorical}
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(TRIES):
        for way, draw in ways.items():
            rules.categorical = draw
            found[way].append(seconds(package, sampler, model, config, x, args.steps))
    best = {way: min(times) for way, times in found.items()}
    rules.categorical = ways["sums"]
    row = {"package": name, "sampler": sampler or "-"}
    row |= {f"ms, {way}": f"{1000 * t:.0f}" for way, t in best.items()}
    return row | {"ratio": f"{best['multinomial'] / best['sums']:.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4, help="sequences, B")
    parser.add_argument("--length", type=int, default=128, help="positions, L")
    parser.add_argument("--vocab", type=int, default=50257, help="tokens, V")
    parser.add_argument("--width", type=int, default=256, help="features, D")
    parser.add_argument("--layers", type=int, default=4, help="blocks")
    parser.add_argument("--steps", type=int, default=4, help="steps of each sampler")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with workplace() as place:
        build(place, *dict.fromkeys(name for name, _ in SAMPLERS))
        sys.path[:0] = [str(p) for p in place.iterdir()]
        rows = [compared(name, sampler, args) for name, sampler in SAMPLERS]
    print("B {rows}, L {length}, V {vocab}, D {width}, {layers} layers.".format(**vars(args)))
    print(table(rows))
    print(machine(threads=1))


if __name__ == "__main__":
    main()
