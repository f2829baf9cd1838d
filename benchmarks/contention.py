"""The slow-down of training by other processes, with one CPU thread and with two.

python -m benchmarks.contention [--steps 100] [--rounds 2] [--task star_easy]

Trains `mdlm` (size cpu) alternately beside 0 and 3 busy processes, and prints the median time per
step and its ratio to the quiet machine. With fair scheduling, three busy processes on two cores
slow one thread by 2 (4 threads share 2 cores) and two threads by 2.5.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from benchmarks.runs import build, command, workplace
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

BUSY = "while True: sum(range(10000))"


@contextmanager
def busy_processes(others: int):
    """Runs busy processes inside the context."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(others)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def seconds_a_step(place: Path, task: str, steps: int, threads: int, name: str) -> float:
    """Seconds per step, from the log of a training run."""
    run = place / "runs" / name
    words = ["train", "--task", task, "--size", "cpu", "--steps", steps, "--run", run]
    sets = {"log_every": 10, "evaluate_every": steps, "threads": threads, "sample_examples": 0}
    words += [w for k, v in sets.items() for w in ("--set", f"train.{k}={v}")]
    command("mdlm", *words, folder=place / "mdlm", threads=threads)
    lines = [json.loads(x) for x in (run / "metrics.jsonl").read_text().splitlines()]
    of = {x["step"]: x["seconds"] for x in lines if x["split"] == "train"}
    first, last = min(of), max(of)
    return (of[last] - of[first]) / (last - first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--task", default="star_easy")
    args = parser.parse_args()
    os.environ.pop("OMP_NUM_THREADS", None)
    found: dict[tuple[int, int], list[float]] = {}
    with workplace() as place:
        build(place, "mdlm")
        for turn in range(args.rounds):
            for threads in (1, 2):
                for others in (0, 3):
                    with busy_processes(others):
                        name = f"{threads}-{others}-{turn}"
                        each = seconds_a_step(place, args.task, args.steps, threads, name)
                    found.setdefault((threads, others), []).append(each)
    rows = []
    for (threads, others), times in sorted(found.items()):
        quiet = statistics.median(found[threads, 0])
        each = statistics.median(times)
        spread = f"{1000 * min(times):.1f} to {1000 * max(times):.1f}"
        row = {"threads": threads, "busy processes": others, "ms per step": f"{1000 * each:.1f}"}
        rows.append(row | {"lowest to highest": spread, "slower": f"{each / quiet:.2f}"})
    print(table(rows))
    print(f"\n{args.task}, mdlm, {args.steps} steps, {args.rounds} rounds; {machine(1)}")


if __name__ == "__main__":
    main()
