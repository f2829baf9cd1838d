"""Star graphs at size `cpu`, the same minutes for every method on one thread, several seeds.

python -m benchmarks.quality [--tasks star_mini star_easy] [--seeds 3] [--scale 1.0] [--folder DIR]
"""

import argparse

from benchmarks.runs import build, evaluate, machine, numbers, spread, table, train, workplace

MINUTES = {"star_mini": 1.0, "star_easy": 2.0}
METHODS = {"arlm": ["autoregressive"], "mdlm": ["ancestral", "confidence"]}


def main() -> None:
    args = arguments()
    rows = []
    with workplace(args.folder) as place:
        build(place, *METHODS)
        for task in args.tasks:
            for name, samplers in METHODS.items():
                minutes = MINUTES[task] * args.scale
                runs = [train(place, name, task, minutes, s, show=False) for s in range(args.seeds)]
                rows += [row(place, name, task, runs, s, minutes) for s in samplers]
                print(table(rows), flush=True)
    print(
        f"\nTest split, target format nodes, one thread, {args.seeds} seeds (mean ± sd over them)."
    )
    print("Size cpu: learned positions and width-3 token mixing are on, for every method alike;")
    print("both are departures from the papers' networks. Autoregressive: a coin toss between")
    print("three arms is the best that it can do, 33.3 %.")
    print(machine(threads=1))


def row(place, name: str, task: str, runs: list, sampler: str, minutes: float) -> dict:
    found = [evaluate(place, name, run, sampler) for run in runs]
    told = numbers(runs[0])
    return {
        "task": task,
        "method": name,
        "sampler": sampler,
        "sequence accuracy %": spread([100 * f["sequence_accuracy"] for f in found]),
        "token accuracy %": spread([100 * f["token_accuracy"] for f in found]),
        "nats/token": spread([f["loss"] for f in found], "{:.3f}"),
        "calls": found[0]["network_calls"],
        "steps": spread([numbers(r)["train"]["steps"] for r in runs], "{:.0f}"),
        "minutes": f"{minutes:g}",
        "size": told["size"],
        "n": found[0]["examples"],
    }


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--tasks", nargs="+", default=list(MINUTES), choices=list(MINUTES))
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--scale", type=float, default=1.0, help="of the minutes, to try it out")
    p.add_argument("--folder", help="keeps runs here, and takes up what was trained before")
    return p.parse_args()


if __name__ == "__main__":
    main()
