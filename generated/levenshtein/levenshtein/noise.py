"""The noise of levenshtein: count uniform, process drop, roll_in placeholders and model_fill."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import compact, number_of_sets, open_gaps, random_subset
from .types import Examples, GapState, Vocab


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


class Placeholders(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0
    masked: Tensor  # (B, L) bool


def placeholders(x: Examples, dropped: Tensor, vocab: Vocab) -> Placeholders:
    """x_0 with masks in place of the dropped tokens: as after insertions of the right numbers."""
    return Placeholders(x.tokens.masked_fill(dropped, vocab.mask), x.valid, x.tokens, dropped)


class Filled(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    wrong: Tensor  # (B, L) bool, is to be deleted


@torch.no_grad()
def model_fill(
    model, hidden: Tensor, tokens: Tensor, valid: Tensor, clean: Tensor, masked: Tensor
) -> Filled:
    """The masks of the input before, filled from its hidden states; without a gradient."""
    row, col = masked.nonzero(as_tuple=True)
    filled = tokens.index_put((row, col), model.token_logits(hidden[row, col]).argmax(-1))
    return Filled(filled, valid, (filled != clean) & valid)
