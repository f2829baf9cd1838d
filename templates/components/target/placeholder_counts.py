"""The number of missing tokens in each gap, as a class.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
Also known as: mask_ins_targets, placeholder_numbers, insertion_classes
"""

from torch import Tensor

from ..types import GapNumbers


def placeholder_counts(dropped: Tensor, gap: Tensor, open: Tensor) -> GapNumbers:
    """The number of dropped tokens in each open gap."""
    count = gap.new_zeros(open.shape).scatter_add(1, gap.clamp(min=0), dropped.long())
    row, col = open.nonzero(as_tuple=True)
    return GapNumbers(row, col, count[row, col])
