"""The command line of every package: train, eval, generate, info. Heavy imports wait."""

import argparse
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed, more, wants_colour
from xlm_spec.runtime import arguments
from xlm_spec.runtime.choose import Run, choose, read_config

FOLDER = "XLM_SPEC_RUN"  # of a run on several devices, told to their processes


def main(package, data: Mapping, train: Mapping, argv: list[str] | None = None) -> int:
    """Runs a command; returns its exit code. Bad input ends in a diagnostic and exit code 1."""
    args = parser(package.__name__).parse_args(argv)
    try:
        args.command(package, data, train, args)
    except Failed as e:
        for d in e.diagnostics:
            print(d.text(wants_colour(sys.stderr)), file=sys.stderr)
        print(f"\n{more(e.diagnostics)}", file=sys.stderr)
        return e.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    return 0


def parser(name: str) -> argparse.ArgumentParser:
    """Of `python -m NAME`; each command knows its workflow."""
    top = argparse.ArgumentParser(prog=f"python -m {name}", description="Train and use this model.")
    commands = top.add_subparsers(required=True, metavar="train | eval | generate | info")
    for word, run, told, flags in (
        ("train", run_train, "Train.", arguments.train),
        ("eval", run_eval, "Score a checkpoint on every example of a split.", arguments.evaluate),
        ("generate", run_generate, "Sample.", arguments.generate),
        ("info", run_info, "Parameters, sizes, objective, needs.", arguments.info),
    ):
        p = commands.add_parser(word, help=told, description=told)
        p.set_defaults(command=run)
        arguments.common(p)
        flags(p)
    return top


def run_train(package, data, train, args) -> None:
    config = read_config(args.config) if args.config else None
    if args.resume:
        given = [args.task, args.size, args.config, args.minutes, args.steps, args.seed, args.init]
        if not args.run or args.sets or args.overfit or any(g is not None for g in given):
            told = "a run is resumed as it was begun"
            raise Failed(Diagnostic("X608", told, "give --run and --resume alone"))
        config = read_config(args.run / "config.yaml")
    sets = list(args.sets)
    sets += [f"train.steps={args.steps}"] if args.steps is not None else []
    sets += [f"train.seed={args.seed}"] if args.seed is not None else []
    sets += ["data.overfit=true"] if args.overfit else []
    run = choose(package, data, train, args.task, args.size, config, sets, args.init)
    positive(args.minutes, "--minutes")
    positive(args.devices, "--devices")
    first = "LOCAL_RANK" not in os.environ  # the process that starts those of other devices
    settled = "" if first else os.environ.get(FOLDER, "")
    folder = args.run or (Path(settled) if settled else new_folder(run))
    os.environ[FOLDER] = str(folder)
    if first:
        tell(run, folder)
    from xlm_spec.runtime.train import train as workflow

    workflow(run, folder, args.minutes, args.resume, args.devices)
    if first:
        print(folder)


def run_eval(package, data, train, args) -> None:
    from xlm_spec.runtime.evaluate import evaluate

    evaluate(package, data, train, args)


def run_generate(package, data, train, args) -> None:
    from xlm_spec.runtime.generate import generate

    positive(args.n, "-n")
    generate(package, data, train, args)


def run_info(package, data, train, args) -> None:
    from xlm_spec.runtime.info import info

    info(choose(package, data, train, args.task, args.size, sets=args.sets))


def positive(number: float | None, flag: str) -> None:
    if number is not None and not 0 < number < math.inf:
        raise Failed(Diagnostic("X602", f"{flag} is a number above 0, not {number:g}"))


def new_folder(run: Run) -> Path:
    """runs/<package>/<task>-<n>, the first that is free."""
    home = Path("runs") / run.name
    n = 1
    while (home / f"{run.task.name}-{n}").exists():
        n += 1
    return home / f"{run.task.name}-{n}"


def tell(run: Run, folder: Path) -> None:
    """What was chosen, and by whom."""
    by: dict[str, list[str]] = {}
    for key, origin in run.origin.items():
        by.setdefault(origin, []).append(f"{key}={run.numbers[key]}")
    print(f"{run.name} on {run.task.name}, size {run.size}, into {folder}", file=sys.stderr)
    for origin, numbers in by.items():
        print(f"  {origin}: {'  '.join(numbers)}", file=sys.stderr)
