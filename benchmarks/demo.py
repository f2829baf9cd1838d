"""`make demo`: two specs, compiled, trained on star graphs, compared, and one generation shown.

python -m benchmarks.demo [--minutes 1.5] [--split test]
"""

import argparse
import os
import sys
import time

from benchmarks.runs import ROOT, build, command, evaluate, train, workplace
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

ROWS = [
    ("autoregressive", "arlm", "autoregressive"),
    ("masked/ancestral", "mdlm", "ancestral"),
    ("masked/confidence", "mdlm", "confidence"),
]
TASK = "star_mini"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.5, help="of training for each method")
    parser.add_argument("--split", default="test", choices=["val", "test"], help="to score")
    args = parser.parse_args()
    minutes = args.minutes
    threads, begun = min(2, os.cpu_count() or 1), time.time()
    with workplace() as place:
        tell(f"{(ROOT / 'specs' / 'mdlm.yaml').read_text()}")
        tell("Compiling specs/arlm.yaml and specs/mdlm.yaml")
        build(place, "arlm", "mdlm")
        runs = {}
        for name in ("arlm", "mdlm"):
            tell(f"\nTraining {name} on {TASK} for {minutes:g} minutes, {threads} threads")
            runs[name] = train(place, name, TASK, minutes, threads=threads)
        tell(f"\nEvaluating on the {args.split} split")
        rows = []
        for label, name, sampler in ROWS:
            found = evaluate(place, name, runs[name], sampler, threads, args.split)
            rows.append(
                {
                    "method": label,
                    "sequence accuracy": f"{100 * found['sequence_accuracy']:.1f} %",
                    "token accuracy": f"{100 * found['token_accuracy']:.1f} %",
                    "network calls": found["network_calls"],
                    "examples": found["examples"],
                }
            )
        print("\n" + table(rows), flush=True)
        told = "nodes, size cpu (learned positions and width-3 token mixing on), 1 seed"
        print(f"\n{TASK}: {told}; {machine(threads)}\n", flush=True)
        tell("A generation, step by step (edges, source, goal -> the path's nodes):\n")
        words = ["generate", "--run", runs["mdlm"], "--sampler", "confidence", "-n", 2, "--watch"]
        print(command("mdlm", *words, folder=place / "mdlm", threads=threads), flush=True)
    tell(f"{(time.time() - begun) / 60:.1f} minutes")


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
