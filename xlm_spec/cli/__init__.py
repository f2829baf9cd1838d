"""The commands of xlm-spec. A command imports what it needs when it runs; no logic is here."""

import sys

import click

from xlm_spec import __version__
from xlm_spec.cli import compiling, experiments, language
from xlm_spec.cli.output import refer, show
from xlm_spec.diagnostics import lenient_streams, of_system


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xlm-spec")
def cli() -> None:
    """Compile one-page specs of language models into PyTorch packages."""


for command in (  # in the order of the reference
    *(compiling.new, compiling.build, compiling.check, language.explain, compiling.lower),
    *(compiling.status, compiling.diff, experiments.compare, experiments.verify),
    *(experiments.tokenize, experiments.doctor),
    *(language.axes, language.schema),
):
    cli.add_command(command)


def main() -> None:
    lenient_streams()
    try:
        cli()
    except OSError as e:
        show([of_system(e)])
        refer([of_system(e)])
        sys.exit(1)
