"""The workflow `compare`: builds, trains and scores several specs on one task under one budget."""

import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import yaml

from xlm_spec.compiler.emit.plan import Plan
from xlm_spec.compiler.plan import plan_of
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.evaluation import protocol
from xlm_spec.runtime.evaluation.judge import judge_of
from xlm_spec.runtime.main import positive
from xlm_spec.workbench import runs
from xlm_spec.workbench.curves import logged, steps_per_second
from xlm_spec.workbench.figures import Figure, Row, columns, markdown, row, table
from xlm_spec.workbench.folder import lock_folder, write_whole
from xlm_spec.workbench.frontiers import frontiers, require_text
from xlm_spec.workbench.machine import machine, threads_each
from xlm_spec.workbench.method import Method, method, require_unique_names
from xlm_spec.workbench.processes import Processes
from xlm_spec.workbench.progress import Progress
from xlm_spec.workbench.report import Comparison, report
from xlm_spec.workbench.request import Request
from xlm_spec.workbench.trials import Trial, budget_words, trials


def compare(request: Request) -> str:
    """The table and its caption. Raises Failed: X1xx-X8xx."""
    plans = [plan_of(s) for s in request.specs]
    require_unique_names(plans, request.specs)
    with lock_folder(request.out) as inherited:
        methods = prepared(request, plans)
        all_trials = trials(request, methods)
        announce(request, methods)
        carry_out(request, all_trials, Processes(threads_each(request.jobs), inherited))
        rows = [r for m in methods for r in measured(m, [t for t in all_trials if t.method is m])]
        points = frontiers(request, methods, all_trials) if request.judge else []
        caption = caption_of(request, methods)
        comparison = Comparison(request, methods, all_trials, rows, caption, points)
        write(comparison)
    return f"{table(columns(rows))}\n\n{comparison.caption}"


def prepared(request: Request, plans: list[Plan]) -> list[Method]:
    """Builds all specs and resolves their settings, before any training."""
    if request.budget.unit != "own":
        positive(request.budget.amount, f"--{request.budget.unit}")
    into = request.out / "packages"
    arguments = (into, request.task, request.size, request.sets)
    try:
        pairs = zip(plans, request.specs, strict=True)
        methods = [method(plan, spec, *arguments) for plan, spec in pairs]
        require_text(request, methods)
        if request.judge:
            judge_of(request.judge)  # before any training
        return methods
    except Failed as e:
        raise Failed(e.diagnostics) from None  # exit code 1, also if `build` has another


def announce(request: Request, methods: list[Method]) -> None:
    """Prints the caption, and for a budget in FLOPs the steps of each method."""
    print(caption_of(request, methods), file=sys.stderr)
    if request.budget.unit == "flops":
        for m, words in zip(methods, budget_words(request, methods), strict=True):
            line = f"{m.flops:.4g} FLOPs per training step: {words[1]} steps"
            print(f"  {m.name}: {line}", file=sys.stderr)


def carry_out(request: Request, all_trials: list[Trial], processes: Processes) -> None:
    """Trains and scores all unfinished runs, `jobs` at once. Raises Failed (X804, X807)."""
    left = {
        "train": sum(not t.trained for t in all_trials),
        "eval": sum(len(t.unscored) for t in all_trials),
    }
    minutes = request.budget.amount if request.budget.unit == "minutes" else None
    pool = ThreadPoolExecutor(request.jobs)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the runs too
    with Progress(len(all_trials), left, request.jobs, minutes) as progress:
        try:
            work = [pool.submit(carry_out_one, t, processes, progress) for t in all_trials]
            for future in work:
                while not future.done():  # a signal just before an endless wait would be lost
                    wait([future], 1.0)
                future.result()
        except KeyboardInterrupt:
            message = "interrupted; run the same command again to continue"
            raise Failed(Diagnostic("X807", message)) from None
        finally:
            signal.signal(signal.SIGTERM, before)
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
            runs.evaluate(m.package, trial.folder, sampler, processes, judge=trial.judge)
    progress.done(str(trial))


def measured(method: Method, trials: list[Trial]) -> list[Row]:
    """A row for each sampler of a method."""
    rates = [steps_per_second(logged(t.folder)) * method.tokens for t in trials]
    cost = {
        "tokens_per_second": Figure(tuple(rates)),
        "parameters": Figure((method.parameters,)),
        "steps": Figure(tuple(steps_of(t) for t in trials)),
    }
    return [
        row(
            method.name,
            s,
            [json.loads(t.scored(s).read_text(encoding="utf-8")) for t in trials],
            cost,
        )
        for s in method.samplers
    ]


def steps_of(trial: Trial) -> int:
    return yaml.safe_load((trial.folder / "config.yaml").read_text(encoding="utf-8"))["train"][
        "steps"
    ]


def caption_of(request: Request, methods: list[Method]) -> str:
    """The task, budget, seeds and machine of the table."""
    run, seeds = methods[0].run, request.seeds
    options = ", ".join(f"{k}={v}" for k, v in vars(run.task.options).items() if v != "")
    parts = [
        f"{run.task.name}{f' ({options})' if options else ''}, size {request.size}, test split",
        f"{request.budget} of training each",
        f"{seeds} seed{'s: mean ± standard deviation' if seeds > 1 else ''}",
        *([" ".join(request.sets)] if request.sets else []),
        f"{request.jobs} run{'s' if request.jobs > 1 else ''} at once",
        *said_of_text(request, run),
        machine(threads_each(request.jobs)),
    ]
    return "; ".join(parts)


def said_of_text(request: Request, run: Run) -> list[str]:
    """The protocol, what a sequence is, and the judge."""
    if not protocol.is_text(run.task):
        return []
    said = getattr(run.task, "sequences", "")
    judged = [f"judge {request.judge}"] if request.judge else []
    return [f"protocol {protocol.VERSION}", *([f"sequences {said}"] if said else []), *judged]


def write(comparison: Comparison) -> None:
    """Writes table.md, table.json and report.html."""
    out, rows = comparison.request.out, comparison.rows
    write_whole(out / "table.md", f"{markdown(columns(rows))}\n\n{comparison.caption}\n")
    record = {"caption": comparison.caption, "rows": [r.as_json() for r in rows]}
    write_whole(out / "table.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    write_whole(out / "report.html", report(comparison))
    print(out / "report.html", file=sys.stderr)
