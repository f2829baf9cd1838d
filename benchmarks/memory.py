"""CPU time and peak memory of a training step at a large vocabulary: logits at once, and in pieces.

python -m benchmarks.memory [mdlm arlm ilm] [--rows 32] [--length 512] [--vocab 50257] [--width 256]

One step: objective, gradients, AdamW. Float32, one thread, each step in a process of its own. No
dropout; sequences without padding. Memory: tensors at the peak of the step, beside the weights and
the state of the optimiser. `at once` lets a package compute any number of logits together.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.runs import ROOT, build, workplace
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

WAYS = {"at once": 1 << 62, "in pieces": None}


def measured(name: str, way: str, rows: int, length: int, vocab: int, width: int, layers: int):
    """CPU seconds of a step, and MiB at its peak."""
    import torch

    from xlm_spec.runtime.machine.memory import peak_of

    package, ops = importlib.import_module(name), importlib.import_module(f"{name}.ops")
    if WAYS[way]:
        ops.pieces.__defaults__ = (WAYS[way],)
    config = package.Config.small()
    parts = {"layers": layers, "width": width, "heads": max(1, width // 64)}
    backbone = replace(config.backbone, **parts)
    config = replace(config, backbone=backbone, vocab=replace(config.vocab, size=vocab))
    torch.manual_seed(0)
    rng = torch.Generator().manual_seed(0)
    model = package.Model(config)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    first = torch.arange(length).expand(rows, -1) == 0
    tokens = torch.randint(len(config.vocab.special), vocab, (rows, length), generator=rng)
    x = package.Examples(tokens, torch.ones_like(first), first)

    def step() -> None:
        optimizer.zero_grad(set_to_none=False)
        terms = package.objective(model, x, config, rng)
        sum(terms.values()).mean().backward()
        optimizer.step()

    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()  # allocates its state
    begun = time.process_time()
    peak = peak_of(step, torch.device("cpu"))
    return {"seconds": time.process_time() - begun, "mib": peak / 2**20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", default=["mdlm", "arlm", "ilm"])
    parser.add_argument("--rows", type=int, default=32, help="sequences, B")
    parser.add_argument("--length", type=int, default=512, help="positions, L")
    parser.add_argument("--vocab", type=int, default=50257, help="tokens, V")
    parser.add_argument("--width", type=int, default=256, help="features, D")
    parser.add_argument("--layers", type=int, default=4, help="blocks")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    size = args.rows, args.length, args.vocab, args.width, args.layers
    if args.way:
        print(json.dumps(measured(args.packages[0], args.way, *size)))
        return
    print("B {}, L {}, V {}, D {}, {} layers. {}".format(*size, machine(1)), flush=True)
    numbers = [w for n in ("rows", "length", "vocab", "width", "layers") for w in flag(args, n)]
    with workplace() as place:
        build(place, *args.packages)
        paths = [str(ROOT), *map(str, place.iterdir())]
        found = {"PYTHONPATH": os.pathsep.join(paths)}
        rows = []
        for name in args.packages:
            for way in WAYS:
                command = [sys.executable, "-m", "benchmarks.memory", name, "--way", way, *numbers]
                done = subprocess.run(
                    command, env=os.environ | found, capture_output=True, text=True, check=True
                )
                cost = json.loads(done.stdout.splitlines()[-1])
                rows.append({"package": name, "logits": way} | shown(cost))
    print(table(rows))


def flag(args: argparse.Namespace, name: str) -> list[str]:
    return [f"--{name}", str(getattr(args, name))]


def shown(cost: dict[str, float]) -> dict[str, str]:
    return {"CPU s per step": f"{cost['seconds']:.1f}", "MiB": f"{cost['mib']:.0f}"}


if __name__ == "__main__":
    main()
