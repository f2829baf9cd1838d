"""The law of `gap_shares`: of every gap the missing tokens in order, and those without any."""

from math import exp
from typing import NamedTuple

from torch import Tensor

from .gap_tokens_law import targets as missing_tokens


class Shares(NamedTuple):
    """Gaps are numbered by the remaining token to their left."""

    empty: list[int]  # gaps in which tokens can be missing, but are not
    missing: list[tuple[int, int, float]]  # (gap, token, its share)


def targets(
    tokens: Tensor,
    valid: Tensor,
    fixed: Tensor,
    corrupted: list[int],
    *,
    balanced: bool = True,
    tau: float = 1.0,
) -> Shares:
    gaps = missing_tokens(tokens, valid, fixed, corrupted)
    missing = []
    for gap in sorted({gap for gap, _ in gaps.missing}):
        span = [token for g, token in gaps.missing if g == gap]
        middle = (len(span) - 1) / 2
        far = [abs(k - middle) if balanced else 0.0 for k in range(len(span))]
        weights = [exp((min(far) - d) / tau) for d in far]
        missing += [(gap, v, w / sum(weights)) for v, w in zip(span, weights, strict=True)]
    return Shares([a for a in gaps.open if a not in {gap for gap, _ in gaps.missing}], missing)
