"""The families of custom components: builds, verifies, trains and samples each, prints a table.

python -m benchmarks.families [FAMILY ...] [--steps 300] [--curves FAMILY ...]
    [--into docs/_results/families.md]

Each trains on star_mini at size `cpu` with one thread; the first sampler of its spec completes the
validation split. `goal`: answers that end at the right node; `sequence`: right answers. `--curves`:
families whose loss and goal are also measured during a training of 1,200 steps.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.runs import ROOT, command, evaluate, train, workplace
from xlm_spec.laws.package import plan_of
from xlm_spec.workbench.figures import markdown, table
from xlm_spec.workbench.folder import write_whole
from xlm_spec.workbench.machine import machine
from xlm_spec.workbench.processes import Processes

TASK, THREADS = "star_mini", 1
LONG, EVERY, ANSWERS, DECODING = 1200, 200, 200, 64  # the steps of a curve, and of its sampler
BEFORE = {  # lines, when heads, shared types and further inputs were not possible
    "bd3lm": 113,
    "cmlm": 109,
    "flexible": 171,
    "gaussian": 160,
    "levenshtein": 125,
    "sigma_gpt": 125,
}
PAGE = """<!-- Written by `python -m benchmarks.families --into FILE`. -->

`{command}`

The families of `tests/families`, and FlexMDM as in the guide "A family of your own" (`flexible`):
{task}, size `cpu`, {steps} steps, n = {examples:,} graphs of the validation split, 1 seed, the
first sampler of each spec. {machine}.

{table}

- Lines: of the custom components, without blank ones. Before: with backbones copied for their
  heads, and types copied into each file that uses them.
- Laws: held, failed or in error, unverified (a component has no law file). Claims: proved or
  unproved by these laws.
- Loss: nats per token, summed over the terms, of different objectives: the rows are not
  comparable. Goal: answers that end at the goal. Sequence: right answers. These need about 1,000
  steps in each family: the figures show that a method trains and samples, not how good it is.
- Seconds: for training and for sampling, on a machine that other processes share.
"""
CURVES = """
In a training of {long:,} steps, with {decoding} steps of sampling for {answers} prompts:

{table}
"""


def specs() -> dict[str, Path]:
    """The spec of each family, by its name."""
    sys.path.insert(0, str(ROOT / "tests"))
    from family_files import family_specs

    return family_specs()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", help="their names (default: all)")
    parser.add_argument("--steps", type=int, default=300, help="training steps per family")
    parser.add_argument("--seed", type=int, default=0, help="seed of each training")
    parser.add_argument("--jobs", type=int, default=1, help="families at the same time")
    parser.add_argument("--curves", nargs="*", default=[], metavar="FAMILY", help="families")
    parser.add_argument("--place", help="folder of packages and runs, to continue in")
    parser.add_argument("--into", type=Path, help="file to write the table to")
    args = parser.parse_args()
    files = specs()
    chosen = [files[name] for name in args.families or files]
    with workplace(args.place) as place, ThreadPoolExecutor(args.jobs) as pool:
        found = [*pool.map(lambda spec: measured(place, spec, args.steps, args.seed), chosen)]
        during = curves(place / "curves", [files[name] for name in args.curves], args.seed)
    rows = [row for row, _ in found]
    print(table(rows), flush=True)
    if during:
        print(f"\n{table(during)}", flush=True)
    print(f"\n{TASK}, size cpu, {args.steps} steps, seed {args.seed}; {machine(THREADS)}")
    if args.into:
        words = ["python -m benchmarks.families", *args.families, "--steps", args.steps]
        words += ["--seed", args.seed, "--jobs", args.jobs]
        words += ["--curves", *args.curves] if args.curves else []
        page = {"command": " ".join(map(str, words)), "steps": args.steps, "task": TASK}
        page |= {"examples": found[0][1]}
        text = PAGE.format(machine=machine(THREADS), table=markdown(rows), **page)
        if during:
            numbers = {"long": LONG, "decoding": DECODING, "answers": ANSWERS}
            text += CURVES.format(table=markdown(during), **numbers)
        args.into.write_text(text, encoding="utf-8")


def measured(place: Path, spec: Path, steps: int, seed: int) -> tuple[dict[str, str], int]:
    """The row of a family, and the number of its examples."""
    name = spec.stem
    command("xlm_spec", "build", spec, "--into", place, folder=place, threads=THREADS)
    report = verified(place, name)
    sets = [f"train.evaluate_every={steps}"]
    run = train(place, name, TASK, 0, seed, THREADS, show=False, sets=sets, steps=steps)
    trained = json.loads((run / "metrics.jsonl").read_text("utf-8").splitlines()[-1])["seconds"]
    sampler = first_sampler(place, name)
    result = evaluate(place, name, run, sampler, THREADS, "val")
    print(f"{name}: {steps} steps in {trained:.0f} seconds", file=sys.stderr, flush=True)
    statuses = [law["status"] for law in report["laws"]]
    wrong = sum(s in ("failed", "silent", "error") for s in statuses)
    claims: dict[str, list[str]] = {}
    for c in report["claims"]:
        claims.setdefault(c["verdict"], []).append(c["claim"])
    verdicts = [f"{verdict}: {', '.join(listed)}" for verdict, listed in claims.items()]
    return {
        "family": name,
        "lines before": f"{BEFORE.get(name, '-')}",
        "lines now": f"{lines(spec.parent)}",
        "laws held": f"{statuses.count('held')}",
        "failed": f"{wrong}",
        "unverified": f"{statuses.count('unverified')}",
        "claims": "; ".join(verdicts) or "none",
        "sampler": sampler,
        "loss": f"{result['loss']:.3f}",
        "goal %": f"{100 * result['right_goal']:.1f}",
        "sequence %": f"{100 * result['sequence_accuracy']:.1f}",
        "calls": f"{result['network_calls']}",
        "training, s": f"{trained:.0f}",
        "sampling, s": f"{result['sampling_seconds']:.0f}",
    }, result["examples"]


def curves(place: Path, specs: list[Path], seed: int) -> list[dict[str, str]]:
    """Loss and goal of each family during a long training, a row for each measurement."""
    place.mkdir(exist_ok=True)
    sets = [f"train.evaluate_every={EVERY}", f"train.sample_examples={ANSWERS}"]
    sets += [f"sampler.steps={DECODING}"]
    rows = [{"step": f"{step}"} for step in range(EVERY, LONG + 1, EVERY)]
    for spec in specs:
        name = spec.stem
        command("xlm_spec", "build", spec, "--into", place, folder=place, threads=THREADS)
        run = train(place, name, TASK, 0, seed, THREADS, show=False, sets=sets, steps=LONG)
        lines = map(json.loads, (run / "metrics.jsonl").read_text("utf-8").splitlines())
        found = [line for line in lines if line.get("split") == "val"]
        for row, line in zip(rows, found, strict=True):
            row[f"{name}: loss"] = f"{line['loss']:.3f}"
            row[f"{name}: goal %"] = f"{100 * line['right_goal']:.1f}"
    return rows if specs else []


def verified(place: Path, name: str) -> dict:
    """The report of the laws; a law that does not hold is in the table, not an error."""
    file = place / f"{name}-laws.json"
    if not file.exists():
        words = ["xlm_spec", "verify", place / name, "--json"]
        _, out = Processes(THREADS, shown=True).run(words, place, None)
        write_whole(file, out)
    [report] = json.loads(file.read_text(encoding="utf-8"))
    return report


def first_sampler(place: Path, name: str) -> str:
    """The default sampler of a package, from its plan."""
    return next(iter(plan_of(place / name)["method"]["sampler"]))


def lines(folder: Path) -> int:
    """The lines of the components of a family, without blank ones and law files."""
    files = [f for f in folder.glob("*.py") if not f.stem.endswith("_law")]
    return sum(bool(line.strip()) for f in files for line in f.read_text("utf-8").splitlines())


if __name__ == "__main__":
    main()
