"""Commands that run packages: verification, and comparisons of trained models."""

import json
import sys
from pathlib import Path

import click

from xlm_spec.cli.output import attempt, put
from xlm_spec.cli.parameters import NAME
from xlm_spec.diagnostics import nearest


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="SPEC|PACKAGE...")
@click.option("--json", "as_json", is_flag=True, help="print laws and figures as JSON")
@click.option("--record", is_flag=True, help="write the result into the package's README")
@click.option("--quiet", is_flag=True, help="print counts and only the laws that do not hold")
@click.option(
    "--law", "only", multiple=True, metavar="TEXT", help="test only laws with TEXT in their name"
)
def verify(
    targets: tuple[str, ...], as_json: bool, record: bool, quiet: bool, only: tuple[str, ...]
) -> None:
    """Verify the mathematics of methods before training.

    Tests the laws of the noise, the objective and its bound, the samplers and the model on an
    enumerable toy distribution, with the exact posterior in place of a trained model, and with a
    small model that it trains. First come the claims of the package, each proved, refuted or
    unproved. Exit 1 if a law does not hold. A component without a law file beside it is reported as
    not verified, and a law that could not be evaluated as an error.

    `--law sampler --law prompt` tests only the laws with `sampler` or `prompt` in their name, and
    gives no verdict on the claims.
    """
    from xlm_spec import workbench

    specs = [t for t in targets if not Path(t).is_dir()]
    if record and specs:
        raise click.UsageError(
            f"--record writes into the README of a package: build {specs[0]} first"
        )
    if record and only:
        raise click.UsageError("--record writes the results of all laws: leave --law out")
    names = attempt(workbench.law_names) if only else []
    for text in only:
        if not any(text in name for name in names):
            meant = nearest(text, {word.strip(",") for name in names for word in name.split()})
            hint = f"; did you mean {meant!r}?" if meant else ""
            raise click.UsageError(f"no law has {text!r} in its name{hint}")
    broken, found = False, []
    for target in targets:
        done = attempt(lambda target=target: workbench.verify(target, record, only))
        broken |= done.broken
        if as_json:
            found.append(done.as_json())
        else:
            click.echo(done.text(quiet))
            if record:
                click.echo(f"  recorded in {Path(target) / 'README.md'}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    sys.exit(1 if broken else 0)


def at(judge: str) -> str:
    """A judge for commands in any folder: a path is absolute, an id stays."""
    return str(Path(judge).resolve()) if judge and Path(judge).exists() else judge


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option("--task", required=True, type=NAME, help="name of a task, or a file that defines one")
@click.option("--size", default="cpu", type=NAME, help="name of a size that the task defines")
@click.option("--minutes", type=float, help="training time of each run (not reproducible)")
@click.option("--steps", type=click.IntRange(min=1), help="optimiser steps of each run")
@click.option("--flops", type=float, help="training FLOPs of each run, such as 1e15")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, metavar="K", help="train with seeds 0 to K-1"
)
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="set a value in every run")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, metavar="J", help="number of parallel runs"
)
@click.option(
    "--judge",
    default="",
    metavar="MODEL",
    help="causal model of transformers that judges samples of text, e.g. a GGUF file",
)
@click.option(
    "--out",
    default="comparison",
    metavar="DIR",
    type=NAME,
    help="folder for packages, runs and report",
)
def compare(
    specs: tuple[str, ...],
    task: str,
    size: str,
    minutes: float | None,
    steps: int | None,
    flops: float | None,
    seeds: int,
    sets: tuple[str, ...],
    jobs: int,
    judge: str,
    out: str,
) -> None:
    """Train and evaluate specs on one task, with the same budget and seeds.

    Prints a table and writes DIR/report.html, with learning curves and trajectories. Repeat the
    command to resume it. The default budget is the number of steps of the size.
    """
    from xlm_spec import workbench
    from xlm_spec.workbench.request import Budget, Request

    given = {"minutes": minutes, "steps": steps, "flops": flops}
    budgets = [Budget(unit, amount) for unit, amount in given.items() if amount is not None]
    if len(budgets) > 1:
        raise click.UsageError("use only one of --minutes, --steps and --flops")
    budget = budgets[0] if budgets else Budget()
    click.echo(
        attempt(
            lambda: workbench.compare(
                Request(specs, task, size, budget, seeds, sets, jobs, Path(out), at(judge))
            )
        )
    )


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option("--task", type=NAME, help="train on the training text of a task instead")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="set an option of the task")
@click.option("--size", type=click.IntRange(min=1), default=4096, help="number of tokens, at most")
@click.option("--column", default="text", type=NAME, help="column of the texts in a table")
@click.option(
    "--special", multiple=True, metavar="TEXT", help="a text that is one token, e.g. a separator"
)
@click.option(
    "-o", "out", default="tokenizer.json", metavar="FILE", type=NAME, help="file to write"
)
def tokenize(
    files: tuple[str, ...],
    task: str | None,
    sets: tuple[str, ...],
    size: int,
    column: str,
    special: tuple[str, ...],
    out: str,
) -> None:
    """Train a byte-level tokenizer (BPE) on texts, and write its tokenizer.json.

    The texts are files, or the training split of a task such as `wikitext2`. Several packages can
    share the result: `--set data.tokenizer=tokenizer.json`.
    """
    if bool(files) == bool(task):
        raise click.UsageError("name either files or a task")
    if sets and not task:
        raise click.UsageError("--set sets an option of --task")
    from xlm_spec import workbench

    text = attempt(lambda: workbench.tokenize(files, task, sets, size, column, special))
    put(text, out)
    click.echo(out)


@click.command()
@click.argument("spec", required=False, metavar="[SPEC]")
@click.option("--task", type=NAME, help="name of a task, or a file (default: that of the spec)")
@click.option("--size", default="paper", type=NAME, help="name of a size that the task defines")
@click.option("--batch", type=click.IntRange(min=1), metavar="B", help="sequences per step")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="change a setting")
def doctor(
    spec: str | None, task: str | None, size: str, batch: int | None, sets: tuple[str, ...]
) -> None:
    """Show what is installed and the devices; with a spec, whether it fits into their memory.

    Estimates the memory of a training step, and measures the peak and the time of real steps. Exit
    1 if it does not fit.
    """
    from xlm_spec.runtime.machine import installed

    if spec is None:
        click.echo("\n".join(installed.lines()))
        return
    from xlm_spec import workbench

    attempt(lambda: workbench.doctor(spec, task, size, batch, sets))
