"""Parameters that several commands have."""

import click


class Name(click.ParamType):
    """A text that is not empty: an empty path, from an unset variable, is the current folder."""

    name = "text"

    def convert(self, value, param, ctx):
        if isinstance(value, str) and not value.strip():
            self.fail("is empty", param, ctx)
        return value


NAME = Name()
OUT = click.option(
    "-o",
    "out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="write to FILE",
)
