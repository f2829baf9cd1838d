"""Random edits, spec changes and template upgrades: no line of a person's is ever lost.

`python -m benchmarks.edits 20000` draws more.
"""

import pytest
from random_edits import drawn, holds

from xlm_spec.refresh import outcome
from xlm_spec.refresh.merge import Merged
from xlm_spec.refresh.outcome import Did


def test_nothing_is_lost(tmp_path):
    seen = drawn(300, tmp_path / "method", derandomize=True)
    assert min(seen[did] for did in Did) >= 3  # else a way to lose something was not tried


@pytest.mark.parametrize("worse", ["new", "mine", "halves"])
def test_control_a_merge_that_loses_lines(worse, tmp_path, monkeypatch):
    """The build's text wins; yours wins; one line in two is gone."""
    kept = {
        "new": lambda yours, base, new: new,
        "mine": lambda yours, base, new: yours,
        "halves": lambda yours, base, new: b"".join((yours + new).splitlines(keepends=True)[::2]),
    }[worse]
    monkeypatch.setattr(outcome, "merge", lambda *texts: Merged(kept(*texts), ()))
    edits = [("insert", at / 20, 0.3, 2) for at in range(20)]
    with pytest.raises(AssertionError, match=r"is gone|did not arrive"):
        holds(tmp_path / "method", ((0, "0.1.0"), [(edits, (1, "0.2.0"))]))
