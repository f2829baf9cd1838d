"""Methods at size `cpu`, the same minutes for each on one thread, several seeds.

python -m benchmarks.quality [--tasks TASK ...] [--methods NAME ...] [--seeds 3] [--steps N]
                             [--scale 1.0] [--text FILE] [--folder DIR]

Star graphs are scored on the whole test split; a text (any file, `--text`) by bits per character of
its last twentieth: exact for autoregressive models, an upper bound for masked ones.
"""

import argparse
from pathlib import Path

from benchmarks.runs import build, evaluate, numbers, train, workplace
from xlm_spec.workbench.figures import spread, table
from xlm_spec.workbench.machine import machine

MINUTES = {"star_mini": 1.0, "star_easy": 2.0, "star_medium": 6.0, "text": 3.0}
METHODS = {  # and the samplers that are scored
    "arlm": ["autoregressive"],
    "mdlm": ["ancestral", "confidence"],
    "mdlm_exact": ["first_hitting", "confidence"],
    "mlm": ["random", "confidence"],
}
STAR = {
    "sequence accuracy %": ("sequence_accuracy", 100, "{:.1f}"),
    "token accuracy %": ("token_accuracy", 100, "{:.1f}"),
    "nats/token": ("loss", 1, "{:.3f}"),
}
TEXT = {
    "bits/character": ("bits_per_character", 1, "{:.3f}"),
    "entropy of samples": ("entropy", 1, "{:.2f}"),
}


def main() -> None:
    args = arguments()
    if "text" in args.tasks and not args.text:
        raise SystemExit("task `text` reads a file: --text FILE")
    with workplace(args.folder) as place:
        build(place, *args.methods)
        for task in args.tasks:
            rows = []
            for name in args.methods:
                rows += measured(place, name, task, args)
                print(table(rows), flush=True)
            print(f"{task}: test split, size cpu, one thread, {args.seeds} seeds (mean ± sd)\n")
    print("Size cpu: learned positions and width-3 token mixing are on, for every method alike;")
    print("both are departures from the papers' networks.")
    print(machine(threads=1))


def measured(place, name: str, task: str, args: argparse.Namespace) -> list[dict]:
    """A row for each sampler."""
    minutes = MINUTES[task] * args.scale
    sets = [f"data.file={args.text.resolve()}"] if task == "text" else []
    more = {"show": False, "sets": sets, "steps": args.steps}
    runs = [train(place, name, task, minutes, seed, **more) for seed in range(args.seeds)]
    samplers = METHODS[name][:1] if task == "text" else METHODS[name]
    budget = "steps" if args.steps else f"{minutes:g} min"
    return [row(place, name, task, runs, sampler, budget) for sampler in samplers]


def row(place, name: str, task: str, runs: list, sampler: str, budget: str) -> dict:
    found = [evaluate(place, name, run, sampler) for run in runs]
    told = {
        head: spread([scale * f[key] for f in found], form)
        for head, (key, scale, form) in (TEXT if task == "text" else STAR).items()
    }
    if task == "text":
        told["kind"] = "bound" if found[0]["bound"] else "exact"
    return {
        "method": name,
        "sampler": sampler,
        **told,
        "calls": found[0]["network_calls"],
        "steps": spread([numbers(r)["train"]["steps"] for r in runs], "{:.0f}"),
        "budget": budget,
        "n": found[0]["examples"],
    }


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    tasks = ["star_mini", "star_easy"]
    p.add_argument("--tasks", nargs="+", default=tasks, choices=list(MINUTES))
    p.add_argument("--methods", nargs="+", default=["arlm", "mdlm"], choices=list(METHODS))
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--scale", type=float, default=1.0, help="of the minutes, to try it out")
    p.add_argument("--steps", type=int, help="instead of minutes, where the machine is not quiet")
    p.add_argument("--text", type=Path, help="the file that task `text` reads")
    p.add_argument("--folder", help="keeps runs here, and takes up what was trained before")
    return p.parse_args()


if __name__ == "__main__":
    main()
