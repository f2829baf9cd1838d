"""`xlm-spec verify` in this process, as a command and as a function."""

import contextlib

from click.testing import CliRunner

from xlm_spec.cli import cli
from xlm_spec.workbench import verify


def statuses(target):
    return {r.status for r in verify(str(target)).results}


def run(*words, cwd):
    """The command in this process, so that it trains no model (conftest.py).

    The guide on `verify` runs it in its own process, with all laws.
    """
    with contextlib.chdir(cwd):
        return CliRunner().invoke(cli, ["verify", *map(str, words)])
