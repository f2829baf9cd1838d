"""`make demo`: compiles two specs, trains them on star graphs, compares and samples them.

python -m benchmarks.demo [--steps 1600] [--split test]

The table is the same on every x86-64 machine with AVX2, busy or quiet: fixed steps, one thread per
run, and kernels that do not depend on the processor (REPEATABLE).
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.runs import ROOT, build, command, evaluate, train, workplace
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

ROWS = [
    ("autoregressive", "arlm", "autoregressive"),
    ("masked/ancestral", "mdlm", "ancestral"),
    ("masked/confidence", "mdlm", "confidence"),
]
TASK, METHODS, THREADS, JOBS = "star_mini", ("mdlm", "arlm"), 1, 2  # the longer training first
REPEATABLE = {  # one path through torch and MKL, for every processor
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1600, help="training steps per method")
    parser.add_argument(
        "--split", default="test", choices=["val", "test"], help="split to evaluate"
    )
    args = parser.parse_args()
    begun = time.time()
    with workplace() as place, ThreadPoolExecutor(JOBS) as pool:
        tell(f"{(ROOT / 'specs' / 'mdlm.yaml').read_text(encoding='utf-8')}")
        tell("Compiling specs/arlm.yaml and specs/mdlm.yaml")
        build(place, *METHODS)
        tell(f"\nTraining {' and '.join(METHODS)} on {TASK}: {args.steps} steps each, side by side")
        common = {"steps": args.steps, "threads": THREADS, "environment": REPEATABLE}
        work = {n: pool.submit(train, place, n, TASK, 0, **common) for n in METHODS}
        runs = {n: w.result() for n, w in work.items()}
        tell(f"\nEvaluating on the {args.split} split")
        options = (THREADS, args.split, REPEATABLE)
        scored = [pool.submit(evaluate, place, n, runs[n], s, *options) for _, n, s in ROWS]
        rows = [row(label, s.result()) for (label, _, _), s in zip(ROWS, scored, strict=True)]
        print("\n" + table(rows), flush=True)
        settings = f"{args.steps} steps, size cpu (learned positions and width-3 token mixing on)"
        print(f"\n{TASK}: nodes, {settings}, 1 seed; {machine(THREADS)}\n", flush=True)
        tell("A generation, step by step (edges, source, goal -> the path's nodes):\n")
        words = ["generate", "--run", runs["mdlm"], "--sampler", "confidence", "-n", 2, "--watch"]
        print(command("mdlm", *words, folder=place / "mdlm", threads=THREADS), flush=True)
    tell(f"{(time.time() - begun) / 60:.1f} minutes")


def row(label: str, found: dict) -> dict:
    """A row of the table."""
    return {
        "method": label,
        "sequence accuracy": f"{100 * found['sequence_accuracy']:.1f} %",
        "token accuracy": f"{100 * found['token_accuracy']:.1f} %",
        "NFE": found["network_calls"],
        "examples": found["examples"],
    }


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
