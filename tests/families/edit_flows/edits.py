"""The edits that remain: tokens to insert, to delete, and to substitute.

Paper: arXiv:2506.09018 (Edit Flows)
"""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples


class Edits(NamedTuple):
    """N insertions, the other edits by position, and where edits are allowed."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long, the position after which the token is inserted
    token: Tensor  # (N,) long
    wrong: Tensor  # (B, W) bool, is deleted
    other: Tensor  # (B, W) bool, is substituted
    clean: Tensor  # (B, W) long, by this token
    open: Tensor  # (B, W) bool, insertions are allowed after this position
    free: Tensor  # (B, W) bool, may be deleted or substituted


def edits(
    x: Examples,
    dropped: Tensor,
    gap: Tensor,
    wrong: Tensor,
    other: Tensor,
    clean: Tensor,
    open: Tensor,
    free: Tensor,
) -> Edits:
    """The edit of each aligned position that still has the token of the source."""
    row, position = dropped.nonzero(as_tuple=True)
    token = x.tokens[row, position]
    return Edits(row, gap[row, position], token, wrong, other, clean, open, free)
