"""Random edits, spec changes and template upgrades: no line of the user is lost.

`python -m benchmarks.edits 20000` draws more.
"""

import pytest
from random_edits import drawn, holds

from xlm_spec.refresh import outcome
from xlm_spec.refresh.merge import Merged
from xlm_spec.refresh.outcome import FileAction

pytestmark = pytest.mark.slow


def test_no_line_is_lost(tmp_path, request):
    draws = 300 if request.config.getoption("--full") else 100
    seen = drawn(draws, tmp_path / "method", derandomize=True)
    assert min(seen[action] for action in FileAction) >= draws / 100  # each action was tested


@pytest.mark.parametrize("worse", ["new", "mine", "halves"])
def test_control_a_merge_that_loses_lines(worse, tmp_path, monkeypatch):
    """Merges that keep only the build's text, only yours, or every second line."""
    kept = {
        "new": lambda yours, base, new: new,
        "mine": lambda yours, base, new: yours,
        "halves": lambda yours, base, new: b"".join((yours + new).splitlines(keepends=True)[::2]),
    }[worse]
    monkeypatch.setattr(outcome, "merge", lambda *texts: Merged(kept(*texts), ()))
    edits = [("insert", at / 20, 0.3, 2) for at in range(20)]
    with pytest.raises(AssertionError, match=r"is gone|did not arrive"):
        holds(tmp_path / "method", ((0, "0.3.0"), [(edits, (1, "0.4.0"))]))
