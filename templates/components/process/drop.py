"""Dropped tokens leave no trace: the remaining tokens close up.

Paper: arXiv:2505.05755 (ILM); arXiv:1902.03249 (Insertion Transformer)
Also known as: delete, deletion, insertion, insert, drop_tokens, dropping, token_drop, remove, ilm
"""

from typing import NamedTuple

from torch import Tensor

from ..ops import compact, open_gaps
from ..types import Examples, GapState

ELBO_WEIGHTS = {
    "gap_tokens": "count_weight",
    "expected_gap_tokens": "count_weight",
    "stop": "count_weight",
}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) the remaining tokens, at the front
    valid: Tensor  # (B, L)
    open: Tensor  # (B, L) bool, a token may be missing right after this one
    dropped: Tensor  # (B, L) bool, per position of x_0
    gap: Tensor  # (B, L) long, per position of x_0: the position of x_t after which it is missing
    read: Tensor  # (B, L) bool, where losses read hidden states: BOS and the open gaps


def corrupt(x: Examples, corrupted: Tensor) -> Noised:
    """x_t: the tokens of x_0 without the corrupted ones, in order (ILM, arXiv:2505.05755)."""
    keep = x.valid & ~corrupted
    valid, tokens, open = compact(keep, x.tokens, open_gaps(x))
    open = open & valid
    read = open.clone()
    read[:, 0] = True
    return Noised(tokens, valid, open, corrupted, keep.long().cumsum(1) - 1, read)


def prior(x: Examples) -> GapState:
    """The fixed tokens alone; tokens may be inserted in the open gaps of x."""
    valid, tokens, open = compact(x.valid & x.fixed, x.tokens, open_gaps(x))
    return GapState(tokens, valid, valid.clone(), open & valid)
