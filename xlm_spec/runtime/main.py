"""The command line of every package. Heavy imports are deferred."""

import argparse
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from xlm_spec.diagnostics import (
    Diagnostic,
    Failed,
    first_line,
    lenient_streams,
    more,
    of_system,
    wants_colour,
)
from xlm_spec.interrupts import held
from xlm_spec.runtime.config import arguments, choices
from xlm_spec.runtime.config.config_file import read_config
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.machine import environment, processes
from xlm_spec.runtime.machine.shortage import is_shortage
from xlm_spec.runtime.package_errors import package_error
from xlm_spec.runtime.weights import hub


def main(package, data: Mapping, train: Mapping, argv: list[str] | None = None) -> int:
    """Runs a command and returns its exit code. Bad input gives a diagnostic and exit code 1."""
    lenient_streams()
    args = parser(package.__name__).parse_args(argv)
    args.words = ["python", "-m", package.__name__, *(sys.argv[1:] if argv is None else argv)]
    try:
        args.command(package, data, train, args)
    except Failed as e:
        return report_failure(e)
    except KeyboardInterrupt:
        if not environment.is_worker():
            print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except Exception as e:
        diagnostic = machine_error(e) or package_error(e, Path(package.__file__).parent)
        if diagnostic is None:
            raise
        return report_failure(Failed(diagnostic))
    return 0


def report_failure(e: Failed) -> int:
    """Prints the diagnostics and returns the exit code."""
    for d in e.diagnostics:
        print(d.text(wants_colour(sys.stderr)), file=sys.stderr)
    print(f"\n{more(e.diagnostics)}", file=sys.stderr)
    return e.exit_code


def machine_error(e: BaseException) -> Diagnostic | None:
    """The diagnostic of an error of the system (file, memory); None for any other error."""
    if isinstance(e, OSError) and e.strerror:
        return of_system(e)
    if is_shortage(e):
        message = f"not enough memory: {first_line(e)}"
        hint = "reduce train.batch (or raise train.accumulate), train.evaluate_batch or backbone"
        return Diagnostic("X612", message, hint)
    return None


def parser(name: str) -> argparse.ArgumentParser:
    """The parser of `python -m NAME`; each command sets its workflow."""
    top = argparse.ArgumentParser(prog=f"python -m {name}", description="Train and use this model.")
    commands = top.add_subparsers(
        required=True,
        metavar="train | eval | frontier | lm-eval | generate | info | doctor | export | push",
    )
    about = "Show parameters, lengths, samplers, objective and settings."
    fits = "Show what is installed, the devices, and whether a training step fits into memory."
    judged = "Judge samples at several temperatures and step counts, and plot their frontier."
    harness = "Evaluate on tasks of the lm-evaluation-harness."
    exported = "Write weights, settings, tokenizer, code and a model card into a folder."
    for word, run, text, flags in (
        ("train", run_train, "Train the model.", arguments.train),
        ("eval", run_eval, "Evaluate a checkpoint on a whole split.", arguments.evaluate),
        ("frontier", run_frontier, judged, arguments.frontier),
        ("lm-eval", run_lm_eval, harness, arguments.lm_eval),
        ("generate", run_generate, "Continue prompts or fill blanks.", arguments.generate),
        ("info", run_info, about, arguments.info),
        ("doctor", run_doctor, fits, arguments.doctor),
        ("export", run_export, exported, arguments.export),
        ("push", run_push, "Write an export to the Hugging Face hub.", arguments.push),
    ):
        p = commands.add_parser(word, help=text, description=text)
        p.set_defaults(command=run)
        arguments.common(p)
        flags(p)
    return top


def run_train(package, data, train, args) -> None:
    config = read_config(args.config) if args.config else None
    folder = args.config.parent if args.config else None
    if args.resume:
        flags = ("task", "size", "config", "seed", "init")
        changed = args.sets or args.overfit or any(getattr(args, f) is not None for f in flags)
        if not args.run or changed:
            message = "`--resume` continues a run with its own settings"
            hint = "use only --run, --resume, --devices, --nodes, --strategy, --steps, --minutes"
            hint += " and --teacher, if it has moved"
            raise Failed(Diagnostic("X608", message, hint))
        config = read_config(args.run / "config.yaml", of_run=True)
    sets = list(args.sets)
    sets += [f"train.steps={args.steps}", "train.minutes=0"] if args.steps is not None else []
    sets += [f"train.minutes={args.minutes}"] if args.minutes is not None else []
    sets += [f"train.seed={args.seed}"] if args.seed is not None else []
    sets += [f"train.strategy={args.strategy}"] if args.strategy is not None else []
    sets += ["data.overfit=true"] if args.overfit else []
    positive(args.minutes, "--minutes")
    positive(args.devices, "--devices")
    positive(args.nodes, "--nodes")
    if args.nodes is not None:
        if args.run is None:
            message = "--nodes requires --run, the same folder for all processes"
            raise Failed(Diagnostic("X602", message))
        environment.join(args.nodes, args.devices)
    given = (args.task, args.size, config, sets, args.init)
    run = resolve_config(package, data, train, *given, folder=folder, teacher=args.teacher)
    run = replace(run, init=hub.pinned(run.init), teacher_file=hub.pinned(run.teacher_file))
    if environment.is_worker():
        with held():
            from xlm_spec.runtime.training.train import train as workflow

        if environment.launcher():
            folder = args.run
        else:
            environment.leave_with_parent()
            folder = Path(os.environ[environment.FOLDER])
        workflow(run, folder, args.resume, args.devices, args.nodes or 1)
        return
    run_first(run, args)


def run_first(run: Run, args) -> None:
    """Trains in the first process, which starts the processes of further devices."""
    from xlm_spec.runtime.machine.files import discard, lock_folder, new_folder
    from xlm_spec.runtime.training.history import recorded

    home = Path(run.package.__file__).resolve().parent
    folder = args.run or new_folder(run.name, run.task.name)
    environment.begin(str(folder))
    try:
        with lock_folder(folder):
            print_origins(run, folder)
            with held():
                from xlm_spec.runtime.training.train import train as workflow

            nodes = args.nodes or 1
            with recorded(folder, home, args.words, args.devices * nodes):
                workflow(run, folder, args.resume, args.devices, nodes)
    except Failed:
        if args.run is None:
            discard(folder)
        raise
    finally:
        environment.end()
    print(folder)


def run_eval(package, data, train, args) -> None:
    with held():
        from xlm_spec.runtime.evaluation.evaluate import evaluate

    positive(args.limit, "--limit")
    positive(args.draws, "--draws")
    on_devices(evaluate, package, data, train, args)


def run_frontier(package, data, train, args) -> None:
    with held():
        from xlm_spec.runtime.evaluation.frontier_files import measure

    positive(args.n, "-n")
    positive(args.batch, "--batch")
    measure(package, data, train, args)


def run_lm_eval(package, data, train, args) -> None:
    from xlm_spec.runtime.machine.extras import require

    for flag in ("limit", "draws", "batch"):
        positive(getattr(args, flag), f"--{flag}")
    require("lm_eval", "`lm-eval`", "lm-eval")
    with held():
        from xlm_spec.runtime.evaluation.lm_eval_model import evaluate

    evaluate(package, data, train, args)


def run_generate(package, data, train, args) -> None:
    with held():
        from xlm_spec.runtime.generation.generate import generate

    positive(args.n, "-n")
    if args.html and args.devices * (args.nodes or 1) > 1:
        message = "--html samples one batch, on one device"
        raise Failed(Diagnostic("X602", message, "leave out --devices"))
    on_devices(generate, package, data, train, args)


def on_devices(workflow, package, data, train, args) -> None:
    """Runs a workflow in a process for each device."""
    for flag in ("batch", "devices", "nodes"):
        positive(getattr(args, flag), f"--{flag}")
    with processes.started(args.words, args.devices, args.nodes):
        workflow(package, data, train, args)


def run_info(package, data, train, args) -> None:
    with held():
        from xlm_spec.runtime.info import info

    config = read_config(args.config) if args.config else None
    folder = args.config.parent if args.config else None
    given = (args.task, args.size, config, args.sets)
    info(resolve_config(package, data, train, *given, folder=folder), args.where)


def run_doctor(package, data, train, args) -> None:
    with held():
        from xlm_spec.runtime.doctor import doctor

    sets = [*args.sets, *([f"train.batch={args.batch}"] if args.batch is not None else [])]
    doctor(resolve_config(package, data, train, args.task, args.size, sets=sets))


def run_export(package, data, train, args) -> None:
    with held():
        from xlm_spec.runtime.publish.export import export

    export(package, data, train, args)


def run_push(package, data, train, args) -> None:
    with held():
        from xlm_spec.runtime.publish.push import push

    push(package, data, train, args)


def positive(number: float | None, flag: str) -> None:
    if number is not None and not 0 < number < math.inf:
        raise Failed(Diagnostic("X602", f"{flag} must be above 0, not {number:g}"))


def print_origins(run: Run, folder: Path) -> None:
    """Prints the settings that are not defaults, by origin."""
    by_origin: dict[str, list[str]] = {}
    settings = choices.expanded(run.settings)
    for key, origin in run.origin.items():
        by_origin.setdefault(origin, []).append(f"{key}={settings[key]}")
    print(f"{run.name} on {run.task.name}, size {run.size}, into {folder}", file=sys.stderr)
    for origin, lines in by_origin.items():
        print(f"  {origin}: {'  '.join(lines)}", file=sys.stderr)
    for kind, version in run.injected.items():
        print(f"  code: {kind} ({version or 'not found'})", file=sys.stderr)
