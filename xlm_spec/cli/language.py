"""Commands that document the spec language and its diagnostics."""

import json

import click

from xlm_spec.cli.output import attempt, put
from xlm_spec.cli.parameters import OUT


@click.command()
@click.argument("axis", required=False)
@click.argument("value", required=False)
def axes(axis: str | None, value: str | None) -> None:
    """Show the spec language: all axes, one AXIS, or one VALUE."""
    from xlm_spec.compiler.docs.cards import describe

    click.echo(attempt(lambda: describe(axis, value)))


@click.command()
@OUT
@click.option("--diagnostics", is_flag=True, help="print the schema of `check --json` instead")
def schema(out: str | None, diagnostics: bool) -> None:
    """Print the JSON Schema of a spec."""
    from xlm_spec.compiler.frontend.schema import OF_DIAGNOSTICS
    from xlm_spec.compiler.frontend.schema import schema as derived

    found = json.loads(OF_DIAGNOSTICS.read_text(encoding="utf-8")) if diagnostics else derived()
    put(json.dumps(found, indent=2) + "\n", out)


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def explain(codes: tuple[str, ...]) -> None:
    """Explain a diagnostic: what it means, why it matters and how to fix it.

    Without CODE, lists all codes.
    """
    from xlm_spec.compiler.docs.explain import explain as pages_of

    click.echo(attempt(lambda: pages_of(codes)), nl=False)
