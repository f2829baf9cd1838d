"""The workflow `info`: a package and its settings at a size."""

import inspect

from xlm_spec.runtime.config import choices
from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.spec_file import written_in_spec
from xlm_spec.runtime.evaluation.scoring import bound_of
from xlm_spec.runtime.loading.layout import layout_of


def info(run: Run, where: bool = False) -> None:
    """Prints parameters, length, samplers, special tokens, likelihood, objective and settings.

    `where`: with the layer that set each value.
    """
    layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
    model = build_model(run, layout.max_length)
    by_part = {n: sum(p.numel() for p in m.parameters()) for n, m in model.named_children()}
    body = inspect.getsource(run.package.objective).rstrip()
    print(f"{run.name}: {run.package.__doc__}")
    print(f"task         {run.task.name}, size {run.size}; others: {', '.join(run.task.sizes)}")
    print(f"length       {layout.max_length} positions, {layout.canvas} of them for the answer")
    print(f"parameters   {sum(by_part.values()):,} ({counts(by_part)})")
    print(f"samplers     {', '.join(run.package.SAMPLERS)} (the first is the default)")
    print(f"needs        bos, {', '.join(run.package.NEEDS)}")
    print(f"likelihood   {likelihood(run)}")
    print(f"objective\n\n{body}\n")
    origin = origins(run) if where else {}
    for key, value in choices.expanded(run.settings).items():
        print(f"{key:32} {value!s:24} {origin[key]}" if where else f"{key:32} {value}")


def origins(run: Run) -> dict[str, str]:
    """The layer that set each value: default, task, method, spec, size, --config or --set.

    `method` is what the compiler infers: `data.fill`, unless the spec has it. The numbers of a
    package are those of its spec, or defaults of its components.
    """
    written = written_in_spec(run.package)
    out = {}
    for key in choices.expanded(run.settings):
        owner = choices.owner_of(key)
        out[key] = run.origin.get(key) or run.origin.get(owner) or "default"
        if out[key] == "default" and key in written:
            out[key] = "spec"
    return out


def likelihood(run: Run) -> str:
    """The relation of the package's bound to log p(x), with the settings of the run."""
    if bound_of(run) is None:
        return "no bound of log p(x)"
    if run.package.EXACT:
        return "exact: log_likelihood_bound is log p(x)"
    return "lower bound: log_likelihood_bound is below log p(x), in expectation"


def counts(by_part: dict[str, int]) -> str:
    return ", ".join(f"{n} {c:,}" for n, c in by_part.items())
