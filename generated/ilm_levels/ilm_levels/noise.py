"""How clean text is corrupted in ilm_levels: count uniform, process drop."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import compact, number_of_sets, open_gaps
from .types import Examples, GapState


def choose(
    x: Examples,
    rng: Generator,
    *,
    least: int = 0,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """k ~ U{least, ..., n} of the n free sites, every set of k alike, (B, L) bool."""
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True)
    u = torch.rand(len(n), 1, generator=rng, device=n.device)
    k = (least + (u * (n - least + 1)).long()).clamp(max=n)  # a row without free sites has none
    key = torch.rand(free.shape, generator=rng, device=n.device).masked_fill(~free, 2.0)
    return free & (key.argsort(1).argsort(1) < k)


def likelihood(
    x: Examples,
    chosen: Tensor,
    *,
    least: int = 0,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """P(chosen | x) = 1 / ((n - least + 1) C(n, k)) for k of n free sites, (B, 1)."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = chosen.sum(1, keepdim=True)
    return (k >= n.clamp(max=least)) / (level_weight(x, least=least) * number_of_sets(n, k))


def level_weight(
    x: Examples,
    *,
    least: int = 0,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """1 / P(k) = n - least + 1, (B, 1), for any number k of hidden tokens.

    A sampler that restores one token a step passes each k once, while training meets k with
    probability P(k), less often the longer the text. As weight this makes up for it.
    """
    return ((x.valid & ~x.fixed).sum(1, keepdim=True) - least + 1).clamp(min=1)


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
