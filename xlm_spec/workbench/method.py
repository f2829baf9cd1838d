"""A spec compiled into its package, with every number settled for the task."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from xlm_spec.compiler.build import build
from xlm_spec.compiler.lower import Plan
from xlm_spec.compiler.render import render
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.choose import Run, model_of
from xlm_spec.runtime.data import DataModule
from xlm_spec.runtime.layout import Layout, layout_of
from xlm_spec.workbench.flops import flops_of, step_of
from xlm_spec.workbench.packages import chosen


@dataclass(frozen=True)
class Method:
    """What the package is, and what it costs."""

    plan: Plan
    spec: Path
    package: Path  # its folder
    run: Run

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def samplers(self) -> list[str]:
        return list(self.run.package.SAMPLERS)

    @cached_property
    def digest(self) -> str:
        """sha256 of the Python that is trained; what only readers see is left out."""
        files = sorted(render(self.plan).items())
        code = (p.encode() + b"\0" + text for p, text in files if p.startswith(f"{self.name}/"))
        return hashlib.sha256(b"\0".join(code)).hexdigest()

    @cached_property
    def layout(self) -> Layout:
        run = self.run
        return layout_of(run.package, run.task, run.config.vocab, run.data.fill)

    @cached_property
    def parameters(self) -> int:
        return sum(p.numel() for p in model_of(self.run, self.layout.room).parameters())

    @cached_property
    def tokens(self) -> float:
        """That a training step learns from, prompts and padding left out."""
        return DataModule(self.run, self.layout).free_tokens * self.run.train.batch

    @cached_property
    def flops(self) -> float:
        """Of a training step."""
        return flops_of(step_of(self.run, self.layout))


def method(plan: Plan, spec: str, into: Path, task: str, size: str, sets: tuple) -> Method:
    """Builds the package and settles its numbers. Raises Failed: X4xx, X5xx, X6xx."""
    done = build(spec, into)
    run = chosen(done.folder.resolve(), task, size, sets)
    found = Method(plan, Path(spec), done.folder.resolve(), run)
    assert found.parameters  # raises where the numbers make no network
    return found


def no_name_twice(plans: list[Plan], specs: tuple[str, ...]) -> None:
    """Raises Failed (X801): packages, runs and rows go by the name."""
    seen: dict[str, str] = {}
    for plan, spec in zip(plans, specs, strict=True):
        if plan.name in seen:
            told = f"two specs are called `{plan.name}`"
            hint = f"the other is {seen[plan.name]}; give one of them another `name`"
            raise Failed(Diagnostic("X801", told, hint, spec))
        seen[plan.name] = spec
