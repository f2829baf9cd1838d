"""A spec compiled into its package, with its settings resolved for a task."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from xlm_spec.compiler.build import build
from xlm_spec.compiler.emit.plan import Plan
from xlm_spec.compiler.emit.render import render
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.loading.data_module import DataModule
from xlm_spec.runtime.loading.layout import Layout, layout_of
from xlm_spec.workbench.flops import flops_of, step_of
from xlm_spec.workbench.packages import resolved_run


@dataclass(frozen=True)
class Method:
    """The package of a spec, and its cost."""

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
        """sha256 of the package's Python code, without README, tests and record of the build."""
        files = sorted(render(self.plan).items())
        code = (p.encode() + b"\0" + text for p, text in files if p.startswith(f"{self.name}/"))
        return hashlib.sha256(b"\0".join(code)).hexdigest()

    @cached_property
    def layout(self) -> Layout:
        run = self.run
        return layout_of(run.package, run.task, run.config.vocab, run.data.fill)

    @cached_property
    def parameters(self) -> int:
        return sum(p.numel() for p in build_model(self.run, self.layout.max_length).parameters())

    @cached_property
    def tokens(self) -> float:
        """Tokens per training step, without prompts and padding."""
        return DataModule(self.run, self.layout).free_tokens * self.run.train.batch

    @cached_property
    def flops(self) -> float:
        """FLOPs per training step."""
        return flops_of(step_of(self.run, self.layout))


def method(plan: Plan, spec: str, into: Path, task: str, size: str, sets: tuple) -> Method:
    """Builds the package and resolves its settings. Raises Failed: X4xx, X5xx, X6xx."""
    done = build(spec, into)
    run = resolved_run(done.folder.resolve(), task, size, sets)
    built = Method(plan, Path(spec), done.folder.resolve(), run)
    assert built.parameters  # raises if these settings give no model
    return built


def require_unique_names(plans: list[Plan], specs: tuple[str, ...]) -> None:
    """Raises Failed (X801): packages, runs and rows are identified by the name."""
    seen: dict[str, str] = {}
    for plan, spec in zip(plans, specs, strict=True):
        if plan.name in seen:
            message = f"two specs have the name `{plan.name}`"
            hint = f"the other is {seen[plan.name]}; change one `name`"
            raise Failed(Diagnostic("X801", message, hint, spec))
        seen[plan.name] = spec
