"""Dropped tokens leave no trace: what is left moves together.

Paper: arXiv:2505.05755 (ILM); arXiv:1902.03249 (Insertion Transformer)
Also known as: delete, deletion, insertion, insert, drop_tokens, dropping, token_drop, remove, ilm
"""

from typing import NamedTuple

from torch import Tensor

from ..ops import compact, open_gaps
from ..types import Examples, GapState

BOUND = {"gap_tokens": "level_weight", "stop": "level_weight"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) what is left, at the front
    valid: Tensor  # (B, L)
    open: Tensor  # (B, L) bool, a token may be missing right behind this one
    dropped: Tensor  # (B, L) bool, per site of x_0
    gap: Tensor  # (B, L) long, per site of x_0: the site of x_t behind which it is missing


def corrupt(x: Examples, chosen: Tensor) -> Noised:
    """x_t: the tokens of x_0 without the chosen ones, in order (ILM, arXiv:2505.05755)."""
    keep = x.valid & ~chosen
    valid, tokens, open = compact(keep, x.tokens, open_gaps(x))
    return Noised(tokens, valid, open & valid, chosen, keep.long().cumsum(1) - 1)


def prior(x: Examples) -> GapState:
    """The given tokens alone; text may grow wherever x has, or leaves, room for it."""
    valid, tokens, open = compact(x.valid & x.fixed, x.tokens, open_gaps(x))
    return GapState(tokens, valid, valid.clone(), open & valid)
