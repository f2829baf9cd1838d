"""A token is first masked; then its mask is dropped.

Paper: arXiv:2509.01025 (FlexMDM)
"""

from typing import NamedTuple

from torch import Tensor

from ..ops import compact, open_gaps
from ..types import Examples, GapState, Vocab

ELBO_WEIGHTS = {"masked_tokens": "elbo_weight", "gap_counts": "insertion_rate"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) the remaining tokens and masks, at the front
    valid: Tensor  # (B, L)
    open: Tensor  # (B, L) bool, a token may be missing right after this one
    clean: Tensor  # (B, L) the token of x_0 at this position
    masked: Tensor  # (B, L) bool
    dropped: Tensor  # (B, L) bool, per position of x_0
    gap: Tensor  # (B, L) long, per position of x_0: the position of x_t after which it is missing


def corrupt(x: Examples, corrupted: Tensor, vocab: Vocab) -> Noised:
    """`corrupted` is 1 where a token is masked, 2 where it is dropped."""
    dropped, masked = corrupted == 2, corrupted == 1
    keep = x.valid & ~dropped
    noisy = x.tokens.masked_fill(masked, vocab.mask)
    valid, tokens, clean, masked, open = compact(keep, noisy, x.tokens, masked, open_gaps(x))
    gap = keep.long().cumsum(1) - 1
    return Noised(tokens, valid, open & valid, clean, masked & valid, dropped, gap)


def prior(x: Examples) -> GapState:
    """The fixed tokens alone."""
    valid, tokens, open = compact(x.valid & x.fixed, x.tokens, open_gaps(x))
    return GapState(tokens, valid, valid.clone(), open & valid)
