"""The frontier of each method of a comparison, measured once for each run and judge."""

import json
import sys
from dataclasses import asdict

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.evaluation import protocol
from xlm_spec.runtime.evaluation.frontier import DATA, Point, frontier
from xlm_spec.runtime.evaluation.frontier_files import write
from xlm_spec.workbench import runs
from xlm_spec.workbench.folder import write_whole
from xlm_spec.workbench.method import Method
from xlm_spec.workbench.packages import load_trained
from xlm_spec.workbench.request import Request
from xlm_spec.workbench.trials import Trial


def require_text(request: Request, methods: list[Method]) -> None:
    """Raises Failed (X602) for a judge of a task without text."""
    task = methods[0].run.task
    if request.judge and not protocol.is_text(task):
        message = f"--judge applies to tasks of text, not to `{task.name}`"
        raise Failed(Diagnostic("X602", message))


def frontiers(request: Request, methods: list[Method], trials: list[Trial]) -> list[Point]:
    """The points of all methods, with seed 0, and of true text once; writes frontier.* too."""
    points = [p for m in methods for p in measured(request, next_of(m, trials))]
    truth = [p for p in points if p.sampler == DATA][:1]
    points = [p for p in points if p.sampler != DATA] + truth
    write(points, request.judge, request.out, ", ".join(m.name for m in methods))
    print(request.out / "frontier.svg", file=sys.stderr)
    return points


def next_of(method: Method, trials: list[Trial]) -> Trial:
    return next(t for t in trials if t.method is method)


def measured(request: Request, trial: Trial) -> list[Point]:
    """The points of a run, which its folder keeps."""
    file = trial.folder / "figures" / f"frontier{runs.of_judge(request.judge)}.json"
    if not file.exists():
        print(f"frontier of {trial}", file=sys.stderr, flush=True)
        trained = load_trained(trial.method.package, trial.folder)
        write_whole(file, json.dumps([asdict(p) for p in frontier(trained, request.judge)]))
    return [Point(**p) for p in json.loads(file.read_text(encoding="utf-8"))]
