"""Trains a method on each drawn task; prints its figures beside the optimum and a trivial guess.

python -m benchmarks.puzzles [TASK ...] [--seed 0] [--molecules FILE] [--place FOLDER]
    [--into docs/_results/puzzles.md]

Size `cpu`, one thread. The rows of a task: `optimum`, answers of the data (of `walk`: exact samples
of the law); `guess`, answers that anybody could give; and the samples of trained methods. All are
scored on the test split. Packages are those of `specs/`; some get another sampler.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML

from benchmarks.runs import ROOT, command, evaluate, train, workplace
from xlm_spec.runtime import tasks
from xlm_spec.runtime.data.rows import Rows, padded_rows
from xlm_spec.runtime.evaluation.metric_tracker import Samples
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.tasks import countdown, maze, sudoku, zebra
from xlm_spec.runtime.tasks.task import Task
from xlm_spec.workbench.figures import markdown, table
from xlm_spec.workbench.machine import machine

THREADS = 1
Guess = Callable[[Any, list[int], Random], list[int]]


@dataclass(frozen=True)
class Method:
    """A package, its samplers, and the sampler that replaces those of its spec."""

    spec: str
    samplers: Sequence[str]
    written: Any = None
    steps: int = 0  # 0: those of the size


DRAWN = {"kind": "insertion", "stop": "drawn"}
METHODS: Mapping[str, Sequence[Method]] = {
    "sudoku": [Method("mdlm", ["ancestral", "confidence"])],
    "countdown": [Method("arlm", ["autoregressive"])],
    "maze": [Method("mdlm", ["confidence"])],
    "zebra": [Method("arlm", ["autoregressive"], steps=500)],
    "walk": [
        Method("arlm", ["autoregressive"], "autoregressive"),
        Method("mdlm", ["ancestral"]),
        Method("ilm", ["insertion"], DRAWN),
    ],
    "molecules": [Method("arlm", ["autoregressive"], "autoregressive")],
}
LONGEST = 48  # tokens of a molecule
OPTIONS = {"maze": ["data.side=5"]}  # that are no defaults
FIGURES = {  # those that are shown
    "sudoku": ("solved", "units", "token_accuracy"),
    "countdown": ("solved", "wellformed"),
    "maze": ("valid_path", "shortest"),
    "zebra": ("solved", "clues"),
    "walk": ("law_legal", "law_tv", "law_tv_error", "law_tv_exact", "law_tv_exact_sd",
             "law_kl_nats", "law_kl_error"),
    "molecules": ("molecules_validity", "molecules_uniqueness", "molecules_novelty"),
}  # fmt: skip
SHARES = ("solved", "wellformed", "valid_path", "shortest", "law_legal", "molecules_validity")


# trivial guesses


def of_sudoku(task: Any, prompt: list[int], rng: Random) -> list[int]:
    """A random digit that the givens allow, in each empty cell."""
    side = task.options.side
    units = sudoku.units_of(side)
    given = [
        {d for d, of in zip(prompt, units, strict=True) if d and u in of} for u in range(3 * side)
    ]
    every = range(1, side + 1)

    def digit(cell: int) -> int:
        taken = {d for u in units[cell] for d in given[u]}
        return rng.choice([d for d in every if d not in taken] or [*every])

    return [d or digit(i) for i, d in enumerate(prompt)]


def of_countdown(task: Any, prompt: list[int], rng: Random) -> list[int]:
    """All numbers in random order and nesting, with random operators."""
    left = [[n] for n in prompt[:-1]]
    while len(left) > 1:
        a, b = (left.pop(rng.randrange(len(left))) for _ in range(2))
        symbol = rng.choice((countdown.PLUS, countdown.MINUS, countdown.TIMES, countdown.OVER))
        left.append([*countdown.inner(a), symbol, *countdown.inner(b)])
    return left[0]


def of_maze(task: Any, prompt: list[int], rng: Random) -> list[int]:
    """A random walk without repeated cells, to the goal or a dead end."""
    open_to, start, goal = maze.parts(prompt)
    path = [start]
    while path[-1] != goal:
        further = [c for c in open_to[path[-1]] if c not in path]
        if not further:
            break
        path.append(rng.choice(further))
    return [len(maze.OPENINGS) * len(open_to) + cell for cell in path]


def of_zebra(task: Any, prompt: list[int], rng: Random) -> list[int]:
    """A random assignment."""
    o = task.options
    columns = [rng.sample(range(a * o.houses, (a + 1) * o.houses), o.houses)
               for a in range(o.attributes)]  # fmt: skip
    first = len(zebra.KINDS) + o.houses
    return [first + column[house] for house in range(o.houses) for column in columns]


def of_walk(task: Any, prompt: list[int], rng: Random) -> list[int]:
    """Nodes independently, with the probabilities of the law."""
    law = task.law
    return rng.choices(range(len(law.start)), law.start.tolist(), k=law.length)


def of_molecules(task: Any, prompt: list[int], rng: Random) -> list[int]:
    """The next token as often as it follows the last one in the training data (bigrams)."""
    after = pairs_of(task)
    found = [-1]
    while len(found) <= LONGEST and (token := rng.choice(after[found[-1]])) >= 0:
        found.append(token)
    return found[1:]


KNOWN: dict[int, dict[int, list[int]]] = {}


def pairs_of(task: Any) -> dict[int, list[int]]:
    """The tokens that follow each token; -1 before the first and after the last."""
    if not KNOWN:
        rows = task.rows("train")
        for ids, n in zip(rows.answer.tolist(), rows.answer_length.tolist(), strict=True):
            for a, b in zip([-1, *ids[:n]], [*ids[:n], -1], strict=True):
                KNOWN.setdefault(a, []).append(b)
    return KNOWN


GUESSES: Mapping[str, tuple[str, Guess]] = {
    "sudoku": ("digits that the givens allow", of_sudoku),
    "countdown": ("a random expression with all numbers", of_countdown),
    "maze": ("a random walk without repeated cells", of_maze),
    "zebra": ("a random assignment", of_zebra),
    "walk": ("independent nodes", of_walk),
    "molecules": ("a bigram model", of_molecules),
}


# figures


def figures_of(task: Any, rows: Rows, answers: list[list[int]]) -> dict[str, float]:
    """The metrics of answers to the prompts of rows."""
    padded = padded_rows([[]] * len(answers), answers).truths.long()
    found = {}
    for name, metric in task.metrics.items():
        values, weights = metric.of(padded, rows)
        found[name] = float((values * weights).sum() / weights.sum())
    samples = Samples(padded, rows, task.tokenizer)
    for name, make in getattr(task, "set_metrics", {}).items():
        metric = make()
        if name == "law_kl":  # of a likelihood
            continue
        metric.update(samples.texts if name == "molecules" else samples.answers)
        found |= {f"{name}_{k}": v for k, v in metric.compute().items()}
    return found


def references(task: Any, seed: int) -> list[tuple[str, dict[str, float]]]:
    """The optimum and the guess."""
    rows, rng = task.rows("test"), Random(seed)
    n = len(rows.prompt)
    best = [[t for t in row if t >= 0] for row in rows.truths.tolist()]
    if task.name == "walk":
        best = task.law.draw(n, generator(seed, "exact")).tolist()
    what, guess = GUESSES[task.name]
    prompts = [
        p[:k] for p, k in zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
    ]
    guesses = [guess(task, p, rng) for p in prompts]
    known = "exact samples" if task.name == "walk" else "the data"
    return [
        (f"optimum: {known}", figures_of(task, rows, best)),
        (f"guess: {what}", figures_of(task, rows, guesses)),
    ]


def shown(name: str, value: float | None, n: int) -> str:
    """A figure; a share of n examples with its standard error."""
    if value is None:
        return "-"
    if name in SHARES:
        return f"{100 * value:.1f} ± {100 * (value * (1 - value) / n) ** 0.5:.1f} %"
    return f"{value:.4f}"


def row(task: str, label: str, steps: str, found: Mapping[str, Any], n: int) -> dict[str, str]:
    cells = {"method": label, "steps": steps}
    return cells | {name: shown(name, found.get(name), n) for name in FIGURES[task]}


def built(place: Path, method: Method, task: str) -> Path:
    """The folder of a package with the sampler of a method."""
    folder = place / task
    spec = folder / "specs" / f"{method.spec}.yaml"
    spec.parent.mkdir(parents=True, exist_ok=True)
    content = YAML().load((ROOT / "specs" / f"{method.spec}.yaml").read_text("utf-8"))
    if method.written is not None:
        content["sampler"] = method.written
    with spec.open("w", encoding="utf-8") as out:
        YAML().dump(content, out)
    command("xlm_spec", "build", spec, "--into", folder, folder=folder, threads=THREADS)
    return folder


@dataclass
class Found:
    """The rows of a task, the number of test examples, the commands."""

    rows: list[dict[str, str]]
    n: int
    commands: list[str] = field(default_factory=list)


def measured(place: Path, name: str, seed: int, sets: Sequence[str]) -> Found:
    task = with_sets(tasks.find(name), sets)
    n = len(task.rows("test").prompt)
    rows = [row(name, label, "-", found, n) for label, found in references(task, seed)]
    found = Found(rows, n)
    for method in METHODS[name]:
        steps = method.steps or int(task.sizes["cpu"]["train.steps"])
        folder = built(place, method, name)
        run = train(folder, method.spec, name, 0, seed, THREADS, False, sets, steps)
        for sampler in method.samplers:
            result = evaluate(folder, method.spec, run, sampler, THREADS)
            label = f"{method.spec}, {sampler}"
            label += " (sampled)" if method.written is not None else ""
            rows.append(row(name, label, f"{steps:,}", result, n))
            print(f"{name}: {label}", file=sys.stderr, flush=True)
        words = " ".join(f"--set {s}" for s in sets if not s.startswith("data.file"))
        words = f"{words} --set data.file=FILE" if name == "molecules" else words
        line = f"python -m {method.spec} train --task {name} --size cpu --steps {steps}"
        found.commands.append(f"{line} --seed {seed} {words}".strip())
    return found


def with_sets(task: Task, sets: Sequence[str]) -> Any:
    pairs = [s.removeprefix("data.").split("=", 1) for s in sets]
    given: dict[str, Any] = {k: int(v) if v.isdigit() else v for k, v in pairs}
    return task.with_options(replace(task.options, **given))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(METHODS)} (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="seed of each training")
    parser.add_argument("--molecules", type=Path, help="file of SMILES (default: that of RDKit)")
    parser.add_argument("--place", help="folder of packages and runs, to continue in")
    parser.add_argument("--into", type=Path, help="file to write the tables to")
    args = parser.parse_args()
    parts = [PAGE.format(machine=machine(THREADS), seed=args.seed)]
    with workplace(args.place) as place:
        for name in args.tasks or METHODS:
            sets = OPTIONS.get(name, [])
            sets = molecules_of(args.molecules) if name == "molecules" else sets
            found = measured(place, name, args.seed, sets)
            print(f"\n{name}, n = {found.n:,}\n{table(found.rows)}", flush=True)
            lines = "\n".join(f"- `{line}`" for line in found.commands)
            heading = f"### {name}\n\nn = {found.n:,} test examples."
            parts += [heading, lines, markdown(found.rows)]
    if args.into:
        args.into.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def molecules_of(file: Path | None) -> list[str]:
    """The settings of molecules: those of RDKit are the first 5,000 of the NCI database."""
    if file is None:
        from rdkit import RDConfig

        file = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"
    return [f"data.file={file}", f"data.longest_answer={LONGEST}", "data.long=drop"]


PAGE = """<!-- Written by `python -m benchmarks.puzzles --into FILE`. -->

`python -m benchmarks.puzzles --seed {seed}`: size `cpu`, 1 seed, scored on the test split.
{machine}.
"""

if __name__ == "__main__":
    main()
