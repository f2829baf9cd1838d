"""The workflow `info`: what a package is, at a size."""

import inspect

from xlm_spec.runtime.choose import Run, model_of
from xlm_spec.runtime.layout import layout_of
from xlm_spec.runtime.scoring import bound_of


def info(run: Run) -> None:
    """Prints parameters, room, objective, samplers, needs and every number."""
    layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
    model = model_of(run, layout.room)
    by_part = {n: sum(p.numel() for p in m.parameters()) for n, m in model.named_children()}
    body = inspect.getsource(run.package.objective).rstrip()
    print(f"{run.name}: {run.package.__doc__}")
    print(f"task         {run.task.name}, size {run.size}; others: {', '.join(run.task.sizes)}")
    print(f"room         {layout.room} sites, {layout.canvas} of them for the answer")
    print(f"parameters   {sum(by_part.values()):,} ({told(by_part)})")
    print(f"samplers     {', '.join(run.package.SAMPLERS)} (the first is the default)")
    print(f"needs        bos, {', '.join(run.package.NEEDS)}")
    print(f"likelihood   {likelihood(run)}")
    print(f"objective\n\n{body}\n")
    for key, value in run.numbers.items():
        print(f"{key:32} {value}")


def likelihood(run: Run) -> str:
    """What the package tells of log p(x), with the numbers of the run."""
    if bound_of(run) is None:
        return "no bound of log p(x)"
    if run.package.EXACT:
        return "exact: log_likelihood_bound is log p(x)"
    return "log_likelihood_bound bounds log p(x) from below, in expectation"


def told(by_part: dict[str, int]) -> str:
    return ", ".join(f"{n} {c:,}" for n, c in by_part.items())
