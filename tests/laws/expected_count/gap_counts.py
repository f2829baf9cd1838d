"""How many tokens are missing in each gap.

Paper: arXiv:2509.01025 (FlexMDM)
"""

from typing import NamedTuple

from torch import Tensor


class GapCounts(NamedTuple):
    """The number of missing tokens in each open gap."""

    count: Tensor  # (B, L)
    open: Tensor  # (B, L) bool


def gap_counts(dropped: Tensor, gap: Tensor, open: Tensor) -> GapCounts:
    """The number of dropped tokens of each gap."""
    count = gap.new_zeros(gap.shape).scatter_add(1, gap, dropped.long())
    return GapCounts(count.float(), open)
