"""The commands of xlm-spec. A command imports what it needs when it runs; no logic is here."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from xlm_spec import __version__
from xlm_spec.diagnostics import (
    Diagnostic,
    Failed,
    lenient_streams,
    more,
    of_system,
    wants_colour,
)


class Name(click.ParamType):
    """A text that is not empty: an empty path, from an unset variable, is the current folder."""

    name = "text"

    def convert(self, value, param, ctx):
        if isinstance(value, str) and not value.strip():
            self.fail("is empty", param, ctx)
        return value


NAME = Name()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xlm-spec")
def cli() -> None:
    """Compile one-page specs of language models into PyTorch packages."""


@cli.command()
@click.argument("name")
@click.option(
    "--from", "preset", metavar="PRESET", type=NAME, help="name of the shipped spec to start from"
)
@click.option(
    "--into", metavar="DIR", type=NAME, help="folder for the package  [default: generated]"
)
def new(name: str, preset: str | None, into: str | None) -> None:
    """Write a new spec, specs/NAME.yaml, and build it.

    Copies the preset PRESET or NAME. If there is no preset NAME, writes a starter spec, which lists
    the values of every axis in comments. An existing spec is never overwritten (exit 1).
    """
    from xlm_spec.compiler import new as writer

    keep_templates()
    done = attempt(lambda: writer.new(name, preset, into))
    click.echo(f"specs/{name}.yaml: edit this file", err=True)
    click.echo(summary(done), err=True)
    click.echo(f"next steps:\n{writer.next_steps(name, into)}", err=True)


@cli.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option(
    "--into",
    metavar="DIR",
    type=NAME,
    help="folder for packages  [default: generated; the package itself for its own spec.yaml]",
)
@click.option(
    "--check",
    "check_only",
    is_flag=True,
    help="write nothing; exit 1 if a build would change a file",
)
@click.option(
    "--emit",
    type=click.Choice(["spec", "method", "plan", "files"]),
    help="print a stage of the compiler, write nothing",
)
def build(specs: tuple[str, ...], into: str | None, check_only: bool, emit: str | None) -> None:
    """Compile specs into DIR/<name>/.

    Your edits of a package are kept and merged with the new code. Lines that you and the build both
    changed are written between conflict markers.

    Exit 1: a spec has an error, or --check found a stale file. Exit 3: resolve conflicts first.
    """
    from xlm_spec.compiler import build as compiler

    if not (check_only or emit):
        keep_templates()
    code, found = 0, list[Diagnostic]()
    for path in specs:
        try:
            if emit:
                click.echo(compiler.stage(path, emit), nl=False)
                continue
            done = compiler.build(path, into, check_only)
            click.echo(summary(done), err=True)
            of_build = [*done.warnings, *done.decisions]
            show(of_build)
            found += of_build
            code = max(code, 3 * bool(done.decisions), int(check_only and done.stale))
        except Failed as e:
            show(e.diagnostics)
            found += e.diagnostics
            code = max(code, e.exit_code)
    refer(found)
    sys.exit(code)


@cli.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option("--json", "as_json", is_flag=True, help="print diagnostics as JSON on stdout")
def check(specs: tuple[str, ...], as_json: bool) -> None:
    """Check specs and write nothing.

    Exit 1 if a spec has an error. Warnings do not change the exit code.
    """
    from xlm_spec.compiler.plan import checked

    found, code = list[Diagnostic](), 0
    for path in specs:
        try:
            of_spec = checked(path)[1]
            click.echo(f"{path}: ok", err=True)
        except Failed as e:
            of_spec, code = e.diagnostics, 1
        found += of_spec
        if not as_json:
            show(of_spec)
    if as_json:
        click.echo(json.dumps([d.as_json() for d in found], indent=2))
    else:
        refer(found)
    sys.exit(code)


@cli.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def explain(codes: tuple[str, ...]) -> None:
    """Explain a diagnostic: what it means, why it matters and how to fix it.

    Without CODE, lists all codes.
    """
    from xlm_spec.compiler.docs.explain import explain as pages_of

    click.echo(attempt(lambda: pages_of(codes)), nl=False)


@cli.command()
@click.argument("spec")
@click.option(
    "-o",
    "out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="write to FILE",
)
def lower(spec: str, out: str | None) -> None:
    """Print the plan of a spec, as answers for `copier update --data-file`."""
    from xlm_spec.compiler.plan import answers_of

    keep_templates()
    put(attempt(lambda: answers_of(spec)), out)


@cli.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE]...")
@click.option("--json", "as_json", is_flag=True, help="print the packages as JSON")
def status(packages: tuple[str, ...], as_json: bool) -> None:
    """Show the state of each file of a package: edited, deleted, stale, conflicted or clean.

    Stale: a build would change the file, because the spec or the templates have changed. Without
    PACKAGE, shows all packages in generated/. Exit 3 while conflicts remain.
    """
    from xlm_spec.refresh import status as reader

    folders = [Path(p) for p in packages] or attempt(reader.packages)
    found = [attempt(lambda f=f: reader.status(f)) for f in folders]
    if as_json:
        click.echo(json.dumps([s.as_json() for s in found], indent=2))
    else:
        for s in found:
            click.echo(s.text())
            show(s.warnings)
        refer([d for s in found for d in s.warnings])
    sys.exit(3 if any(s.conflicted for s in found) else 0)


@cli.command()
@click.argument("spec_a")
@click.argument("spec_b")
@click.option("--code", is_flag=True, help="compare the generated files, as a unified diff")
def diff(spec_a: str, spec_b: str, code: bool) -> None:
    """Show the differences between two specs, section by section.

    Includes defaults. Exit 0 whether they differ or not.
    """
    from xlm_spec.compiler.diff import diff as difference

    click.echo(attempt(lambda: difference(spec_a, spec_b, code)))


@cli.command()
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
                Request(specs, task, size, budget, seeds, sets, jobs, Path(out))
            )
        )
    )


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="SPEC|PACKAGE...")
@click.option("--json", "as_json", is_flag=True, help="print laws and figures as JSON")
@click.option("--record", is_flag=True, help="write the result into the package's README")
@click.option("--quiet", is_flag=True, help="print counts and only the laws that do not hold")
def verify(targets: tuple[str, ...], as_json: bool, record: bool, quiet: bool) -> None:
    """Verify the mathematics of methods before training.

    Tests the laws of the noise, the objective and its bound, the samplers and the model on an
    enumerable toy distribution, with the exact posterior in place of a trained model, and with a
    small model that it trains. First come the claims of the package, each proved, refuted or
    unproved. Exit 1 if a law does not hold. A component without a law file beside it is reported as
    not verified, and a law that could not be evaluated as an error.
    """
    from xlm_spec import workbench

    specs = [t for t in targets if not Path(t).is_dir()]
    if record and specs:
        raise click.UsageError(
            f"--record writes into the README of a package: build {specs[0]} first"
        )
    broken, found = False, []
    for target in targets:
        done = attempt(lambda target=target: workbench.verify(target, record))
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


@cli.command()
@click.argument("axis", required=False)
@click.argument("value", required=False)
def axes(axis: str | None, value: str | None) -> None:
    """Show the spec language: all axes, one AXIS, or one VALUE."""
    from xlm_spec.compiler.docs.cards import describe

    click.echo(attempt(lambda: describe(axis, value)))


@cli.command()
@click.option(
    "-o",
    "out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="write to FILE",
)
@click.option("--diagnostics", is_flag=True, help="print the schema of `check --json` instead")
def schema(out: str | None, diagnostics: bool) -> None:
    """Print the JSON Schema of a spec."""
    from xlm_spec.compiler.frontend.schema import OF_DIAGNOSTICS
    from xlm_spec.compiler.frontend.schema import schema as derived

    found = json.loads(OF_DIAGNOSTICS.read_text(encoding="utf-8")) if diagnostics else derived()
    put(json.dumps(found, indent=2) + "\n", out)


def keep_templates() -> None:
    """Links the templates into the home folder, where `copier update` finds them."""
    from xlm_spec.refresh import store

    store.keep()


def attempt(run):
    """The result of `run`. If it fails, prints the diagnostics and exits."""
    try:
        return run()
    except Failed as e:
        show(e.diagnostics)
        refer(e.diagnostics)
        sys.exit(e.exit_code)


def show(found: Iterable[Diagnostic]) -> None:
    for d in found:
        click.echo(d.text(wants_colour(sys.stderr)) + "\n", err=True)


def refer(found: list[Diagnostic]) -> None:
    """Prints the command that explains these diagnostics."""
    if found:
        click.echo(more(found), err=True)


def put(text: str, out: str | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        Path(out).write_text(text, encoding="utf-8", newline="\n")
    except OSError as e:
        raise click.FileError(out, e.strerror or "") from None


def summary(done) -> str:
    """What a build did to each file; one line if it did the same to all."""
    kinds: dict[str, list[str]] = {}
    for o in sorted(done.outcomes, key=lambda o: o.action.order):
        at = f":{', '.join(map(str, o.lines))}" if o.lines else ""
        kinds.setdefault(o.action.value, []).append(o.path + at)
    if len(kinds) == 1 and set(kinds) <= {"created", "unchanged"}:
        [(what, paths)] = kinds.items()
        if what == "created":
            return f"{done.folder}: {len(paths)} created"
        return f"{done.folder}: unchanged{' except its record' * done.stale}"
    width = max(map(len, kinds))
    same = kinds.pop("unchanged", [])
    lines = [f"  {what:{width}}  {path}" for what, paths in kinds.items() for path in paths]
    lines += [f"  {'unchanged':{width}}  {len(same)} files"] * bool(same)
    return "\n".join([str(done.folder), *lines])


def main() -> None:
    lenient_streams()
    try:
        cli()
    except OSError as e:
        show([of_system(e)])
        refer([of_system(e)])
        sys.exit(1)
