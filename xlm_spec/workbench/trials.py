"""The runs that a request amounts to, each with a folder that no other request has."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from xlm_spec import __version__
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.workbench import runs
from xlm_spec.workbench.method import Method
from xlm_spec.workbench.request import Request


@dataclass(frozen=True)
class Trial:
    """A run: a method, a seed, and the folder that no other request has."""

    method: Method
    seed: int
    folder: Path
    words: tuple[str, ...]  # of `python -m NAME train`

    def __str__(self) -> str:
        return f"{self.method.name}, seed {self.seed}"

    @property
    def trained(self) -> bool:
        return (self.folder / runs.TRAINED).exists()

    @property
    def unscored(self) -> list[str]:
        return [s for s in self.method.samplers if not runs.scored(self.folder, s).exists()]


def trials(request: Request, methods: list[Method]) -> list[Trial]:
    """Every method once with each seed before the next seed."""
    budgets = budget_words(request, methods)
    return [
        trial(request, method, words, seed)
        for seed in range(request.seeds)
        for method, words in zip(methods, budgets, strict=True)
    ]


def trial(request: Request, method: Method, budget: tuple[str, ...], seed: int) -> Trial:
    sets = settled(request, method)
    told = {
        "package": method.digest,
        "runtime": __version__,
        "task": [method.run.data.task, content(method.run.data.task)],
        "size": request.size,
        "budget": [request.budget.unit, request.budget.amount or budget],
        "seed": seed,
        "sets": sorted([s, content(s.partition("=")[2])] for s in sets),
    }
    short = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:10]
    task = re.sub(r"\W+", "_", method.run.task.name)
    name = f"{method.name}-{task}-{request.size}-seed{seed}-{short}"
    words = ["--task", method.run.data.task, "--size", request.size, *budget, "--seed", str(seed)]
    words += [w for s in sets for w in ("--set", s)]
    return Trial(method, seed, request.out.resolve() / "runs" / name, tuple(words))


def settled(request: Request, method: Method) -> list[str]:
    """The `--set`s as the run has them: paths are whole, so that they hold in another folder."""
    keys = [s.partition("=")[0].strip() for s in request.sets]
    return [f"{k}={method.run.numbers[k]}" for k in keys]


def content(path: str) -> str:
    """sha256 of the file of that name, "" where there is none: other data make another run."""
    file = Path(path)
    return hashlib.sha256(file.read_bytes()).hexdigest() if path and file.is_file() else ""


def budget_words(request: Request, methods: list[Method]) -> list[tuple[str, ...]]:
    """The budget as flags of `train`, of each method.

    Raises Failed (X806) where no budget is given and the specs have steps of their own.
    """
    unit, amount = request.budget.unit, request.budget.amount
    if unit == "flops":
        return [("--steps", str(max(1, int(amount / m.flops)))) for m in methods]
    if unit != "own":
        told = str(amount) if unit == "minutes" else str(int(amount))
        return [(f"--{unit}", told)] * len(methods)
    steps = {m.name: m.run.train.steps for m in methods}
    if len(set(steps.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in steps.items())
        told = f"no budget is given, and the specs have different steps: {listed}"
        raise Failed(Diagnostic("X806", told, "--steps, --minutes or --flops"))
    return [("--steps", str(n)) for n in steps.values()]
