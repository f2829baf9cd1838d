"""One checkpoint, all samplers: quality against NFE per example.

python -m benchmarks.samplers [--tasks star_easy text] [--text FILE] [--seeds 3] [--scale 1.0]
                              [--steps N] [--examples 1000] [--samples 64] [--folder DIR]
                              [--into DIR]

star_easy: sequence accuracy on the first `--examples` test graphs. text: bits per character of
unconditional samples under an autoregressive model that was trained on the same text for the same
time (lower is more similar; far below that of the text itself is repetition), and the entropy of
their characters. Tokens are sampled at temperature 1. Prints a table and the best sampler at each
budget, and draws a plot.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.runs import build, train, workplace
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

MINUTES = {"star_easy": 2.0, "text": 3.0}
NAME, JUDGE = "mdlm_samplers", "arlm"
PER_STEP = {"star_easy": (1, 2, 3, 6), "text": (1, 2, 4, 8, 16, 32)}
STEPS = {"star_easy": (1, 2, 3, 4, 8, 32, 128), "text": (4, 8, 16, 32, 64, 128, 256)}
ROUNDS = {"star_easy": (1, 2, 3, 4, 6, 10), "text": (4, 8, 16, 32, 64)}
THRESHOLDS = (0.0, 0.3, 0.5, 0.7, 0.9, 0.99)
GAMMAS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
QUALITY = {"star_easy": "accuracy", "text": "bits"}
UNITS = {
    "accuracy": "sequence accuracy, %",
    "bits": "bits per character under the judge",
    "entropy": "entropy of characters, nats",
}
BUDGETS = {"star_easy": (1, 2, 3, 4, 6), "text": (4, 8, 16, 32, 64, 128)}
REFERENCES = ("autoregressive", "the text itself")


def sweep(task: str) -> dict[str, tuple[str, tuple]]:
    """The setting of each sampler that trades NFE for quality, and its values."""
    orders = ("random", "left_to_right", "confidence", "margin", "entropy", "blocks")
    remasking = ("remask_cap", "remask_rescale", "remask_confidence", "remask_loop")
    return {
        "first_hitting": ("", ("",)),
        "ancestral": ("steps", STEPS[task]),
        **dict.fromkeys(orders, ("tokens_per_step", PER_STEP[task])),
        **{name: ("steps", tuple(n for n in STEPS[task] if n >= 3)) for name in remasking},
        "mask_predict": ("rounds", ROUNDS[task]),
        "threshold": ("threshold", THRESHOLDS),
        "entropy_bounded": ("gamma", GAMMAS),
    }


def main() -> None:
    args = arguments()
    with workplace(args.folder) as place:
        build(place, NAME, JUDGE)
        for task in args.tasks:
            seeds = range(args.seeds)
            points = average([p for seed in seeds for p in measured(place, task, seed, args)])
            print(table([shown(p) for p in points]), flush=True)
            print("\n" + table(best(points, task)))
            print(f"\n{caption(task, args)}\n{machine(threads=1)}\n", flush=True)
            if args.into:
                plot(points, task, caption(task, args), args.into / f"samplers_{task}.svg")


def caption(task: str, args: argparse.Namespace) -> str:
    n = f"{args.examples} test graphs" if task == "star_easy" else f"{args.samples} samples"
    budget = f"{args.steps} steps" if args.steps else f"{MINUTES[task] * args.scale:g} min"
    return f"{task}: {NAME}, size cpu, {budget}, {n}, {args.seeds} seed(s), temperature 1"


def measured(place: Path, task: str, seed: int, args: argparse.Namespace) -> Iterator[dict]:
    """A point for each sampler and each value of its setting."""
    from benchmarks import sampled

    sets = [f"data.file={args.text.resolve()}"] if task == "text" else []
    names = [NAME, JUDGE] if sets else [NAME]
    minutes = MINUTES[task] * args.scale
    more = {"show": False, "sets": sets, "steps": args.steps}
    run, *other = (train(place, n, task, minutes, seed, **more) for n in names)
    judge = sampled.loaded(other[0], []) if other else None
    for name, (number, values) in sweep(task).items():
        for value in values:
            setting = f"{number}={value}" if number else ""
            found = sampled.loaded(run, [f"sampler.{name}.{setting}"] if number else [])
            scores = (
                sampled.texts(found, judge, name, args.samples)
                if judge
                else sampled.graphs(found, name, args.examples)
            )
            print(f"{task}, seed {seed}: {name} {setting} {scores}", file=sys.stderr, flush=True)
            yield {"sampler": name, "setting": setting, **scores}
    if judge:
        softmax = sampled.loaded(other[0], ["sampler.tokens.k=1000000"])  # not greedy: all tokens
        own = sampled.texts(softmax, judge, "autoregressive", args.samples)
        yield {"sampler": REFERENCES[0], "setting": "", **own}
        yield {"sampler": REFERENCES[1], "setting": "", **sampled.truths(judge, args.samples)}


def average(points: list[dict]) -> list[dict]:
    """Means over seeds, and standard deviations as `..._sd`."""
    groups: dict[tuple, list[dict]] = {}
    for p in points:
        groups.setdefault((p["sampler"], p["setting"]), []).append(p)
    out = []
    for (sampler, setting), found in groups.items():
        point = {"sampler": sampler, "setting": setting}
        for key in [k for k in found[0] if k not in point]:
            values = [p[key] for p in found]
            point[key] = statistics.mean(values)
            point[f"{key}_sd"] = statistics.stdev(values) if len(values) > 1 else 0.0
        out.append(point)
    return out


def shown(p: dict) -> dict:
    """A row of the table."""
    row = {"sampler": p["sampler"], "setting": p["setting"], "calls": f"{p['calls']:.1f}"}
    for key in ("accuracy", "bits", "entropy"):
        if key in p:
            form = "{:.1f}" if key == "accuracy" else "{:.2f}"
            row[UNITS[key]] = f"{form.format(p[key])} ± {form.format(p[key + '_sd'])}"
    return row


def best(points: list[dict], task: str) -> list[dict]:
    """The best sampler within each budget of calls; for text, the closest to the text itself."""
    key = QUALITY[task]
    aim = next((p[key] for p in points if p["sampler"] == REFERENCES[1]), 100.0)
    own = [p for p in points if p["sampler"] not in REFERENCES]
    rows = []
    for budget in BUDGETS[task]:
        within = [p for p in own if p["calls"] <= budget + 0.05]
        found = min(within, key=lambda p: abs(p[key] - aim), default=None)
        if found:
            rows.append({"at most": f"{budget} calls", **shown(found)})
    return rows


def plot(points: list[dict], task: str, title: str, file: Path) -> None:
    """Plots quality against calls, one line per sampler; for text also the entropy."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "xlm-spec", "svg.fonttype": "none"}
    from matplotlib import pyplot

    keys = ["accuracy"] if task == "star_easy" else ["bits", "entropy"]
    figure, panels = pyplot.subplots(len(keys), 1, figsize=(9, 5 * len(keys)), squeeze=False)
    for panel, key in zip(panels[:, 0], keys, strict=True):
        for i, name in enumerate(sweep(task)):
            mine = sorted((p for p in points if p["sampler"] == name), key=lambda p: p["calls"])
            x, y = [p["calls"] for p in mine], [p[key] for p in mine]
            error = [p[f"{key}_sd"] for p in mine]
            style = {"marker": "os^vD*XP"[i % 8], "color": f"C{i % 10}", "markersize": 5}
            style |= {"linestyle": ("-", "--")[i // 10], "capsize": 2, "linewidth": 1}
            panel.errorbar(x, y, error, label=name, **style)
        for p in (p for p in points if p["sampler"] in REFERENCES):
            panel.axhline(p[key], color="0.5", linestyle=":", linewidth=1)
            place = {"xy": (1, p[key]), "xycoords": ("axes fraction", "data")}
            panel.annotate(p["sampler"], **place, ha="right", fontsize=8)
        panel.set_xscale("log", base=2)
        panel.set_xlabel("NFE per example")
        panel.set_ylabel(UNITS[key])
        panel.grid(alpha=0.3)
    panels[0, 0].set_title(title, fontsize=9)
    panels[0, 0].legend(fontsize=7, ncols=2)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--tasks", nargs="+", default=["star_easy"], choices=list(MINUTES))
    p.add_argument("--text", type=Path, help="text file of task `text`")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--scale", type=float, default=1.0, help="factor on the minutes")
    p.add_argument("--steps", type=int, help="training steps, instead of minutes on a busy machine")
    p.add_argument("--examples", type=int, default=1000, help="number of test graphs")
    p.add_argument("--samples", type=int, default=64, help="number of texts")
    p.add_argument("--folder", help="folder for runs; finished runs are reused")
    p.add_argument("--into", type=Path, help="folder for the plots")
    args = p.parse_args()
    if "text" in args.tasks and not args.text:
        p.error("task `text` requires a file: --text FILE")
    return args


if __name__ == "__main__":
    main()
