"""The commands of xlm-spec. Imports wait until a command needs them; no logic lives here."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from xlm_spec import __version__
from xlm_spec.diagnostics import Diagnostic, Failed, more, wants_colour


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xlm-spec")
def cli() -> None:
    """Compile one-page specs of language models into PyTorch packages."""
    from xlm_spec.refresh import store

    store.keep()


@cli.command()
@click.argument("name")
@click.option("--from", "preset", metavar="PRESET", help="a spec that ships, under another name")
@click.option("--into", metavar="DIR", help="where the package is written  [default: generated]")
def new(name: str, preset: str | None, into: str | None) -> None:
    """Write specs/NAME.yaml, to be edited, and build it.

    The preset of that name, or of --from; else a starter with every axis' values in comments. A
    spec that is there is left alone (exit 1).
    """
    from xlm_spec.compiler import new as writer

    done = attempt(lambda: writer.new(name, preset, into))
    click.echo(f"specs/{name}.yaml: the method, to be edited", err=True)
    click.echo(summary(done), err=True)
    click.echo(f"next:\n{writer.next_steps(name, into)}", err=True)


@cli.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option(
    "--into",
    metavar="DIR",
    help="where packages are written  [default: generated; for a package's own spec, itself]",
)
@click.option("--check", "check_only", is_flag=True, help="write nothing; exit 1 if stale")
@click.option(
    "--emit", type=click.Choice(["spec", "plan", "files"]), help="print a stage, write nothing"
)
def build(specs: tuple[str, ...], into: str | None, check_only: bool, emit: str | None) -> None:
    """Compile specs into DIR/<name>/.

    What you changed in a package is kept, and merged with what is new; where both changed the same
    lines, both stand between markers.

    Exit 1: an error in a spec, or stale with --check. Exit 3: the merge needs you.
    """
    from xlm_spec.compiler import build as compiler

    code, found = 0, list[Diagnostic]()
    for path in specs:
        try:
            if emit:
                click.echo(compiler.stage(path, emit), nl=False)
                continue
            done = compiler.build(path, into, check_only)
            click.echo(summary(done), err=True)
            of_build = [*done.warnings, *done.wanting]
            tell(of_build)
            found += of_build
            code = max(code, 3 * bool(done.wanting), int(check_only and done.stale))
        except Failed as e:
            tell(e.diagnostics)
            found += e.diagnostics
            code = max(code, e.exit_code)
    refer(found)
    sys.exit(code)


@cli.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option("--json", "as_json", is_flag=True, help="diagnostics as JSON on stdout")
def check(specs: tuple[str, ...], as_json: bool) -> None:
    """Check specs: everything but rendering.

    What is legal, but unwise, is a warning; only errors end in exit 1.
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
            tell(of_spec)
    if as_json:
        click.echo(json.dumps([d.as_json() for d in found], indent=2))
    else:
        refer(found)
    sys.exit(code)


@cli.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def explain(codes: tuple[str, ...]) -> None:
    """Print what a diagnostic means, why it matters, and how it is mended.

    Without a CODE all codes are listed.
    """
    from xlm_spec.compiler.shown.explain import explain as pages_of

    click.echo(attempt(lambda: pages_of(codes)), nl=False)


@cli.command()
@click.argument("spec")
@click.option(
    "-o", "out", type=click.Path(dir_okay=False), metavar="FILE", help="instead of stdout"
)
def lower(spec: str, out: str | None) -> None:
    """Print the plan of a spec as answers for `copier update --data-file`."""
    from xlm_spec.compiler.plan import answers_of

    put(attempt(lambda: answers_of(spec)), out)


@cli.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE]...")
@click.option("--json", "as_json", is_flag=True, help="packages as JSON")
def status(packages: tuple[str, ...], as_json: bool) -> None:
    """Show what became of each file of a package since it was built.

    Edited by you, stale (a build would change it: the spec or the templates are others),
    conflicted, clean. Without a PACKAGE those in generated/. Exit 3 while conflicts remain.
    """
    from xlm_spec.refresh import status as reader

    folders = [Path(p) for p in packages] or attempt(reader.packages)
    found = [attempt(lambda f=f: reader.status(f)) for f in folders]
    if as_json:
        click.echo(json.dumps([s.as_json() for s in found], indent=2))
    else:
        for s in found:
            click.echo(s.text())
            tell(s.warnings)
        refer([d for s in found for d in s.warnings])
    sys.exit(3 if any(s.conflicted for s in found) else 0)


@cli.command()
@click.argument("spec_a")
@click.argument("spec_b")
@click.option("--code", is_flag=True, help="the files of their packages, as a unified diff")
def diff(spec_a: str, spec_b: str, code: bool) -> None:
    """Show what differs between two specs, section by section.

    Defaults are filled in. Exit 0 whether they differ or not.
    """
    from xlm_spec.compiler.diff import diff as difference

    click.echo(attempt(lambda: difference(spec_a, spec_b, code)))


@cli.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option("--task", required=True, help="what is trained on: a name, or a file")
@click.option("--size", default="cpu", help="numbers that the task names")
@click.option("--minutes", type=float, help="of training for each run")
@click.option("--steps", type=click.IntRange(min=1), help="of the optimiser for each run")
@click.option("--flops", type=float, help="of training for each run, as in 1e15")
@click.option("--seeds", type=click.IntRange(min=1), default=1, metavar="K", help="seeds 0 to K-1")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="a number, in every run")
@click.option("--jobs", type=click.IntRange(min=1), default=1, metavar="J", help="runs at once")
@click.option("--out", default="comparison", metavar="DIR", help="packages, runs, report")
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
    """Train and score specs on one task, each with the same budget and seeds.

    Prints a table; DIR/report.html shows it with curves and trajectories. The same command goes on
    where an earlier one stopped. Without a budget the size's own steps are taken.
    """
    from xlm_spec import workbench
    from xlm_spec.workbench.request import Budget, Request

    given = {"minutes": minutes, "steps": steps, "flops": flops}
    budgets = [Budget(unit, amount) for unit, amount in given.items() if amount is not None]
    if len(budgets) > 1:
        raise click.UsageError("one budget: --minutes, --steps or --flops")
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
@click.option("--json", "as_json", is_flag=True, help="laws and figures as JSON")
@click.option("--record", is_flag=True, help="say in the package's README what was verified")
@click.option("--quiet", is_flag=True, help="counts, and only the laws that did not hold")
def verify(targets: tuple[str, ...], as_json: bool, record: bool, quiet: bool) -> None:
    """Hold methods to their laws, before anything is trained.

    Of the noise, the objective and its bound, the samplers, the network, on a world small enough to
    enumerate, with the exact network in place of a trained one. Exit 1 where a law is broken.
    """
    from xlm_spec import workbench

    specs = [t for t in targets if not Path(t).is_dir()]
    if record and specs:
        raise click.UsageError(f"--record is for packages, which have a README: build {specs[0]}")
    sound, found = True, []
    for target in targets:
        done = attempt(lambda target=target: workbench.verify(target, record))
        sound &= done.sound
        if as_json:
            found.append(done.as_json())
        else:
            click.echo(done.text(quiet))
            if record:
                click.echo(f"  recorded in {Path(target) / 'README.md'}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    sys.exit(0 if sound else 1)


@cli.command()
@click.argument("axis", required=False)
@click.argument("value", required=False)
def axes(axis: str | None, value: str | None) -> None:
    """Show the language: all axes, one AXIS, or one VALUE of it."""
    from xlm_spec.compiler.shown.cards import show

    click.echo(attempt(lambda: show(axis, value)))


@cli.command()
@click.option(
    "-o", "out", type=click.Path(dir_okay=False), metavar="FILE", help="instead of stdout"
)
@click.option("--diagnostics", is_flag=True, help="of what `check --json` prints, not of a spec")
def schema(out: str | None, diagnostics: bool) -> None:
    """Print the JSON Schema of a spec."""
    from xlm_spec.compiler.form.schema import OF_DIAGNOSTICS
    from xlm_spec.compiler.form.schema import schema as derived

    told = json.loads(OF_DIAGNOSTICS.read_text(encoding="utf-8")) if diagnostics else derived()
    put(json.dumps(told, indent=2) + "\n", out)


def attempt(run):
    """The result of `run`; where it fails, the diagnostics and their exit code."""
    try:
        return run()
    except Failed as e:
        tell(e.diagnostics)
        refer(e.diagnostics)
        sys.exit(e.exit_code)


def tell(found: Iterable[Diagnostic]) -> None:
    for d in found:
        click.echo(d.text(wants_colour(sys.stderr)) + "\n", err=True)


def refer(found: list[Diagnostic]) -> None:
    """Where to read more of what a command told, once."""
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
    """What a build did, file by file; in a line where all files fared alike."""
    kinds: dict[str, list[str]] = {}
    for o in sorted(done.outcomes, key=lambda o: o.did.order):
        lines = f":{', '.join(map(str, o.lines))}" if o.lines else ""
        kinds.setdefault(o.did.value, []).append(o.path + lines)
    if len(kinds) == 1 and set(kinds) <= {"created", "unchanged"}:
        [(what, paths)] = kinds.items()
        if what == "created":
            return f"{done.folder}: {len(paths)} created"
        return f"{done.folder}: unchanged{' but for its record' * done.stale}"
    width = max(map(len, kinds))
    same = kinds.pop("unchanged", [])
    told = [f"  {what:{width}}  {path}" for what, paths in kinds.items() for path in paths]
    told += [f"  {'unchanged':{width}}  {len(same)} files"] * bool(same)
    return "\n".join([str(done.folder), *told])


def main() -> None:
    cli()
