"""The runs of a request, each in a folder that depends on all its inputs."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xlm_spec import __version__
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.workbench import runs
from xlm_spec.workbench.method import Method
from xlm_spec.workbench.request import Request


@dataclass(frozen=True)
class Trial:
    """A run of a method with a seed, and its folder."""

    method: Method
    seed: int
    folder: Path
    words: tuple[str, ...]  # arguments of `python -m NAME train`
    judge: str = ""  # of its samples

    def __str__(self) -> str:
        return f"{self.method.name}, seed {self.seed}"

    @property
    def trained(self) -> bool:
        return (self.folder / runs.TRAINED).exists()

    @property
    def unscored(self) -> list[str]:
        return [s for s in self.method.samplers if not self.scored(s).exists()]

    def scored(self, sampler: str) -> Path:
        """The file with the metrics of a sampler on the test split."""
        return runs.scored(self.folder, sampler, judge=self.judge)


def trials(request: Request, methods: list[Method]) -> list[Trial]:
    """The runs of all methods, seed by seed."""
    budgets = budget_words(request, methods)
    return [
        trial(request, method, words, seed)
        for seed in range(request.seeds)
        for method, words in zip(methods, budgets, strict=True)
    ]


def trial(request: Request, method: Method, budget: tuple[str, ...], seed: int) -> Trial:
    sets = resolved_sets(request, method)
    inputs = {
        "package": method.digest,
        "runtime": __version__,
        "task": [method.run.data.task, content(method.run.data.task)],
        "size": request.size,
        "budget": [request.budget.unit, request.budget.amount or budget],
        "seed": seed,
        "sets": sorted(sets),
        "files": [[k, content(str(v))] for k, v in method.run.settings.items() if content(str(v))],
    }
    short = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:10]
    task = re.sub(r"\W+", "_", method.run.task.name)
    name = f"{method.name}-{task}-{request.size}-seed{seed}-{short}"
    words = ["--task", method.run.data.task, "--size", request.size, *budget, "--seed", str(seed)]
    words += [w for s in sets for w in ("--set", s)]
    folder = request.out.resolve() / "runs" / name
    return Trial(method, seed, folder, tuple(words), request.judge)


def resolved_sets(request: Request, method: Method) -> list[str]:
    """The `--set`s with resolved values: paths are absolute. Options of code stay as they are."""
    settings = method.run.settings
    keys = {s: s.partition("=")[0].strip() for s in request.sets}
    return [f"{k}={as_text(settings[k])}" if k in settings else s for s, k in keys.items()]


def as_text(value: object) -> str:
    """A value as `--set` reads it."""
    return json.dumps(value) if isinstance(value, Mapping | list | tuple) else str(value)


def content(path: str) -> str:
    """sha256 of the file or folder at an absolute path; "" if there is none.

    Runs on different data get different folders.
    """
    target = Path(path)
    if not path or not target.is_absolute() or not target.exists():
        return ""
    files = sorted(f for f in target.rglob("*") if f.is_file()) if target.is_dir() else [target]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(target)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def budget_words(request: Request, methods: list[Method]) -> list[tuple[str, ...]]:
    """The budget of each method as flags of `train`.

    Raises Failed (X806) if there is no budget and the specs have different steps.
    """
    unit, amount = request.budget.unit, request.budget.amount
    if unit == "flops":
        return [("--steps", str(max(1, int(amount / m.flops)))) for m in methods]
    if unit != "own":
        value = str(amount) if unit == "minutes" else str(int(amount))
        return [(f"--{unit}", value)] * len(methods)
    steps = {m.name: m.run.train.steps for m in methods}
    if len(set(steps.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in steps.items())
        message = f"the specs have different numbers of steps: {listed}"
        raise Failed(Diagnostic("X806", message, "set --steps, --minutes or --flops"))
    return [("--steps", str(n)) for n in steps.values()]
