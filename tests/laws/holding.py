"""What the tests of laws share: chi-square tests, and methods as the laws see them."""

import torch
from making import MASKED, package

from verify.world import p_value
from xlm_spec.workbench.laws import laws, plan_of

ALARM = 1e-6  # false-alarm rate of each statistical law
LAWS = {law.name: law for law in laws().LAWS}


def laid_out(tokens, length, types):
    """Rows of which the first is given, and the first `length` (B,) are there."""
    site = torch.arange(tokens.shape[1])
    valid = site < length[:, None]
    return types(tokens, valid, (site == 0).expand_as(valid))


def follows(counts, law) -> None:
    """The counts are drawn from the law; raises AssertionError at false-alarm rate 1e-6."""
    p = p_value(counts, law)
    assert p > ALARM, f"chi-square test: p = {p:.2e}"


def method(folder, base=MASKED, **changes):
    """A built method, as the laws see it."""
    built = package(folder, base, **changes)
    return laws().Method(built, plan_of(folder / built.__name__))


def results(m, name: str) -> list:
    """What came of a law, which applies."""
    found = laws().judged(m, LAWS[name])
    assert all(r.figure for r in found), found[0].why
    return found


def holds(m, name: str) -> None:
    """A law holds, and its control would have been noticed."""
    broken = [r.line() for r in results(m, name) if r.status != "held"]
    assert not broken, broken
