"""Helpers for tests of laws: chi-square tests, and methods as the laws use them."""

import torch
from methods import MASKED, package

from xlm_spec import laws
from xlm_spec.laws.package import plan_of
from xlm_spec.laws.toy_distribution import p_value

ALARM = 1e-6  # false-alarm rate of each statistical law
LAWS = {law.name: law for law in laws.LAWS}


def laid_out(tokens, length, types):
    """Examples with a fixed first position and `length` (B,) valid positions."""
    position = torch.arange(tokens.shape[1])
    valid = position < length[:, None]
    return types(tokens, valid, (position == 0).expand_as(valid))


def follows(counts, probabilities) -> None:
    """Asserts that the counts have these probabilities, with a false-alarm rate of 1e-6."""
    p = p_value(counts, probabilities)
    assert p > ALARM, f"chi-square test: p = {p:.2e}"


def method(folder, base=MASKED, **changes):
    """A built method, as the laws use it."""
    built = package(folder, base, **changes)
    return laws.Method(built, plan_of(folder / built.__name__))


def results(m, name: str) -> list:
    """The results of a law that is applicable."""
    results = laws.check_law(m, LAWS[name])
    assert all(r.figure for r in results), results[0].why
    return results


def holds(m, name: str) -> None:
    """Asserts that a law holds, and that its negative control is detected."""
    broken = [r.line() for r in results(m, name) if r.status != "held"]
    assert not broken, broken
