"""The order of tests with `pytest -n`, and which of them run in one process."""

from functools import cache

from methods import ROOT
from xdist.scheduler import LoadScopeScheduling


class Scheduling(LoadScopeScheduling):
    """The tests of a file with a fixture of the module run in one process, which makes it once.

    Any other test runs where there is time. (`--dist loadgroup` groups nothing with pytest 9.2.)
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if shares(file) else nodeid


@cache
def shares(file: str) -> bool:
    """Has the file a fixture of its module?"""
    return 'scope="module"' in (ROOT / file).read_text()


def slow_first(items: list) -> None:
    """So that the last tests are short, and no process waits for another."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
