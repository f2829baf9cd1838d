"""Commands that compile specs, and those that show specs and packages."""

import json
import sys
from pathlib import Path

import click

from xlm_spec.cli.output import attempt, put, refer, show, summary
from xlm_spec.cli.parameters import NAME, OUT
from xlm_spec.diagnostics import Diagnostic, Failed


@click.command()
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


@click.command()
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


@click.command()
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


@click.command()
@click.argument("spec")
@OUT
def lower(spec: str, out: str | None) -> None:
    """Print the plan of a spec as lines of Python, as answers for `copier update --data-file`."""
    from xlm_spec.compiler.plan import answers_of

    keep_templates()
    put(attempt(lambda: answers_of(spec)), out)


@click.command()
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


@click.command()
@click.argument("spec_a")
@click.argument("spec_b")
@click.option("--code", is_flag=True, help="compare the generated files, as a unified diff")
def diff(spec_a: str, spec_b: str, code: bool) -> None:
    """Show the differences between two specs, section by section.

    Includes defaults. Exit 0 whether they differ or not.
    """
    from xlm_spec.compiler.diff import diff as difference

    click.echo(attempt(lambda: difference(spec_a, spec_b, code)))


def keep_templates() -> None:
    """Links the templates into the home folder, where `copier update` finds them."""
    from xlm_spec.refresh import store

    store.keep()
