"""Which tests run, in which order, and with `pytest -n` in one process."""

from collections.abc import Sequence
from functools import cache

import pytest
from methods import ROOT
from xdist.scheduler import LoadScopeScheduling


class Scheduling(LoadScopeScheduling):
    """The tests of a file with a fixture of the module run in one process, which makes it once.

    Any other test runs where there is time. (`--dist loadgroup` groups nothing with pytest 9.2.)
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if has_module_fixture(file) else nodeid


@cache
def has_module_fixture(file: str) -> bool:
    """Has the file a fixture of its module?"""
    return 'scope="module"' in (ROOT / file).read_text()


def slow_first(items: list) -> None:
    """So that the last tests are short, and no process waits for another."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def shares(cases: Sequence, every: int) -> list:
    """Cases of a test, of which one in `every` runs without `--full`."""
    full = pytest.mark.full
    return [pytest.param(c, marks=[full] if i % every else []) for i, c in enumerate(cases)]
