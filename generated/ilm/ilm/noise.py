"""The noise of ilm: count uniform, process drop."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import compact, number_of_sets, open_gaps, random_subset
from .types import Examples, GapState


def select_tokens(
    x: Examples,
    rng: Generator,
    *,
    min_corrupted: int = 0,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """k ~ U{min_corrupted, ..., n} of n free positions, every set equally likely, (B, L) bool."""
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True)
    u = torch.rand(len(n), 1, generator=rng, device=n.device)
    k = (min_corrupted + (u * (n - min_corrupted + 1)).long()).clamp(
        max=n
    )  # 0 in a row without free positions
    return random_subset(free, k, rng)


def likelihood(
    x: Examples,
    corrupted: Tensor,
    *,
    min_corrupted: int = 0,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """P(corrupted | x), (B, 1): 1 / ((n - min_corrupted + 1) C(n, k)) for k of n free positions."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = corrupted.sum(1, keepdim=True)
    return (k >= n.clamp(max=min_corrupted)) / (
        count_weight(x, min_corrupted=min_corrupted) * number_of_sets(n, k)
    )


def count_weight(
    x: Examples,
    *,
    min_corrupted: int = 0,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """1 / P(k) = n - min_corrupted + 1, (B, 1), for any number k of corrupted tokens.

    A sampler that restores one token per step visits each k once, but training draws k with
    probability P(k), which falls with the length. This weight corrects for it.
    """
    return ((x.valid & ~x.fixed).sum(1, keepdim=True) - min_corrupted + 1).clamp(min=1)


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
