"""Specs with custom components: their errors and warnings, and a weight."""

import pytest

from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.diagnostics import Failed

HALF = '''"""Half the rate."""

from torch import Tensor

COUNT = "elbo_weight"


def half(rate: Tensor) -> Tensor:
    """rate / 2, (B, 1)."""
    return rate / 2
'''


def messages(file) -> list[str]:
    """`code line: message` of everything that is wrong."""
    with pytest.raises(Failed) as failed:
        plan_of(file)
    found = failed.value.diagnostics
    return [f"{d.code} {d.span.line + 1 if d.span else '-'}: {d.message}" for d in found]


def warned(file) -> list[str]:
    return [d.code for d in checked(file)[1]]


def reports_likelihood(file) -> bool:
    return plan_of(file).inferred["likelihood"] != "none"
