"""A weight that rises from 0 to 1 in the first steps of training."""

from ..types import Examples


def warm_up(
    x: Examples,
    *,
    steps: int = 100,  # until the weight is 1; in [1, inf)
) -> float:
    """min(1, step / steps); 1 outside training."""
    return 1.0 if x.step is None else min(1.0, x.step / steps)
