"""What commands print: results, and diagnostics with the command that explains them."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from xlm_spec.diagnostics import Diagnostic, Failed, more, wants_colour


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
