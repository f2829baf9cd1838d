"""Time and memory of the losses of noise that replaces tokens, beside cross-entropy.

python -m benchmarks.bound [--rows 32] [--length 256] [--vocab 30522] [--width 768]

One forward and backward pass of the head and the loss, of hidden states (B, L, D) in float32, with
one thread and in a process of its own. Memory: the peak of the process, less that before the pass.
All losses are at all positions: `cross_entropy` computes all logits at once, the others in pieces.
Freed memory is returned at once; by default glibc keeps some for each piece.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from xlm_spec.workbench.machine import machine

ROOT = Path(__file__).parent.parent
FREED = {"MALLOC_MMAP_THRESHOLD_": "1000000"}  # bytes: of glibc
LOSSES = ("cross_entropy", "interpolating_bound", "score_entropy", "posterior_kl")


def measured(loss: str, rows: int, length: int, vocab: int, width: int) -> dict[str, float]:
    """Seconds, and MiB above those before."""
    sys.path.insert(0, str(ROOT / "templates"))
    import importlib

    import torch

    from components.head.token_logits import TokenLogits
    from components.process import mixture
    from components.schedule.stationary import StationarySchedule
    from components.target.clean_tokens import clean_tokens
    from components.types import Examples, Vocab

    torch.set_num_threads(1)
    words = Vocab(size=vocab, pad=0, bos=1, eos=2, mask=3)
    schedule, rng = StationarySchedule(0.1), torch.Generator().manual_seed(0)
    tokens = torch.randint(4, vocab, (rows, length), generator=rng)
    valid = torch.ones_like(tokens) > 0
    x, t = Examples(tokens, valid, ~valid), torch.rand(rows, 1, generator=rng)
    z = mixture.corrupt(x, t, schedule, words, rng)
    hidden = torch.randn(rows, length, width, generator=rng, requires_grad=True)
    scope = {"tokens": z.tokens, "mass": z.mass, "dmass": z.dmass, "t": t, "schedule": schedule}
    scope |= {"vocab": words, "noise_steps": 1000}

    class Model:
        token_logits = TokenLogits(width, words)

    function = getattr(importlib.import_module(f"components.loss.{loss}"), loss)
    wires = function.__code__.co_varnames[3 : function.__code__.co_argcount]
    before, start = peak(), time.perf_counter()
    nats = function(Model, hidden, clean_tokens(x, z.clean), *(scope[w] for w in wires))
    nats.sum().backward()
    return {"seconds": time.perf_counter() - start, "mib": peak() - before}


def peak() -> float:
    """The largest memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=32, help="sequences, B")
    parser.add_argument("--length", type=int, default=256, help="positions, L")
    parser.add_argument("--vocab", type=int, default=30522, help="tokens, V")
    parser.add_argument("--width", type=int, default=768, help="features, D")
    parser.add_argument("--loss", choices=LOSSES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.loss:
        print(json.dumps(measured(args.loss, args.rows, args.length, args.vocab, args.width)))
        return
    print(f"B {args.rows}, L {args.length}, V {args.vocab}, D {args.width}. {machine(1)}.")
    for loss in LOSSES:
        command = [sys.executable, "-m", "benchmarks.bound", "--loss", loss, *sys.argv[1:]]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | FREED, capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout)
        print(f"{loss:20} {found['seconds']:8.1f} s {found['mib']:8.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
