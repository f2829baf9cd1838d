"""Several specs on one task under one budget: built, trained, scored, told."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import yaml

from xlm_spec.compiler.lower import Plan
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.main import positive
from xlm_spec.workbench import runs
from xlm_spec.workbench.curves import logged, steps_per_second
from xlm_spec.workbench.figures import Figure, Row, columns, markdown, row, table
from xlm_spec.workbench.machine import machine, threads_each
from xlm_spec.workbench.method import Method, method, no_name_twice
from xlm_spec.workbench.place import held, put
from xlm_spec.workbench.processes import Processes
from xlm_spec.workbench.progress import Progress
from xlm_spec.workbench.report import Comparison, report
from xlm_spec.workbench.request import Request
from xlm_spec.workbench.trials import Trial, budget_words, trials


def compare(request: Request) -> str:
    """The table and what its figures are. Raises Failed with what is wrong."""
    plans = [plan_of(s) for s in request.specs]
    no_name_twice(plans, request.specs)
    with held(request.out) as inherited:
        methods = prepared(request, plans)
        asked = trials(request, methods)
        tell(request, methods)
        carry_out(request, asked, Processes(threads_each(request.jobs), inherited))
        rows = [r for m in methods for r in measured(m, [t for t in asked if t.method is m])]
        found = Comparison(request, methods, asked, rows, caption_of(request, methods))
        write(found)
    return f"{table(columns(rows))}\n\n{found.caption}"


def prepared(request: Request, plans: list[Plan]) -> list[Method]:
    """Every spec built, every number settled, before anything is trained."""
    if request.budget.unit != "own":
        positive(request.budget.amount, f"--{request.budget.unit}")
    into = request.out / "packages"
    given = (into, request.task, request.size, request.sets)
    try:
        pairs = zip(plans, request.specs, strict=True)
        return [method(plan, spec, *given) for plan, spec in pairs]
    except Failed as e:
        raise Failed(e.diagnostics) from None  # exit code 1, whichever build has for it


def tell(request: Request, methods: list[Method]) -> None:
    """What is about to be done."""
    print(caption_of(request, methods), file=sys.stderr)
    if request.budget.unit == "flops":
        for m, words in zip(methods, budget_words(request, methods), strict=True):
            told = f"{m.flops:.4g} FLOPs a training step: {words[1]} steps"
            print(f"  {m.name}: {told}", file=sys.stderr)


def carry_out(request: Request, asked: list[Trial], processes: Processes) -> None:
    """Trains and scores what is not there yet, `jobs` runs at once. Raises Failed (X804, X807)."""
    left = {
        "train": sum(not t.trained for t in asked),
        "eval": sum(len(t.unscored) for t in asked),
    }
    minutes = request.budget.amount if request.budget.unit == "minutes" else None
    pool = ThreadPoolExecutor(request.jobs)
    with Progress(len(asked), left, request.jobs, minutes) as progress:
        try:
            work = [pool.submit(carry_out_one, t, processes, progress) for t in asked]
            for future in work:
                future.result()
        except KeyboardInterrupt:
            told = "interrupted; the same command goes on where this one stopped"
            raise Failed(Diagnostic("X807", told)) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            pool.shutdown()


def carry_out_one(trial: Trial, processes: Processes, progress: Progress) -> None:
    m, log = trial.method, trial.folder / runs.LOG
    if trial.trained and not trial.unscored:
        progress.keep(str(trial))
        return
    if not trial.trained:
        with progress.working(str(trial), "train", log):
            runs.train(m.package, trial.folder, trial.words, processes)
    for sampler in trial.unscored:
        with progress.working(str(trial), "eval", log):
            runs.evaluate(m.package, trial.folder, sampler, processes)
    progress.done(str(trial))


def measured(method: Method, mine: list[Trial]) -> list[Row]:
    """A row for each sampler of a method."""
    rates = [steps_per_second(logged(t.folder)) * method.tokens for t in mine]
    cost = {
        "tokens_per_second": Figure(tuple(rates)),
        "parameters": Figure((method.parameters,)),
        "steps": Figure(tuple(steps_of(t) for t in mine)),
    }
    return [
        row(method.name, s, [json.loads(runs.scored(t.folder, s).read_text()) for t in mine], cost)
        for s in method.samplers
    ]


def steps_of(trial: Trial) -> int:
    return yaml.safe_load((trial.folder / "config.yaml").read_text())["train"]["steps"]


def caption_of(request: Request, methods: list[Method]) -> str:
    """What the figures of the table are of."""
    run, seeds = methods[0].run, request.seeds
    options = ", ".join(f"{k}={v}" for k, v in vars(run.task.options).items() if v != "")
    told = [
        f"{run.task.name}{f' ({options})' if options else ''}, size {request.size}, test split",
        f"{request.budget} of training each",
        f"{seeds} seed{'s: mean ± standard deviation' if seeds > 1 else ''}",
        *([" ".join(request.sets)] if request.sets else []),
        f"{request.jobs} run{'s' if request.jobs > 1 else ''} at once",
        machine(threads_each(request.jobs)),
    ]
    return "; ".join(told)


def write(found: Comparison) -> None:
    """table.md, table.json, report.html."""
    out, rows = found.request.out, found.rows
    put(out / "table.md", f"{markdown(columns(rows))}\n\n{found.caption}\n")
    told = {"caption": found.caption, "rows": [r.as_json() for r in rows]}
    put(out / "table.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    put(out / "report.html", report(found))
    print(out / "report.html", file=sys.stderr)
