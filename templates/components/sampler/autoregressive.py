"""From left to right, with a key-value cache: each step computes one position.

Also known as: ar, arlm, left_to_right, ltr, l2r, causal, gpt, lm,
    greedy (tokens: {kind: top_k, k: 1})
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Draw, Examples, Prefix, Vocab

EXACT_AT = {}  # at any values


class CachedPrefix(NamedTuple):
    """A prefix, and the keys and values of its tokens."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    cache: list[tuple[Tensor, Tensor]]  # keys and values of each layer


def init_state(model, state: Prefix) -> CachedPrefix:
    """Computes the cache of the prompt in one forward pass."""
    return CachedPrefix(*state, model.open_cache(state.tokens, state.valid))


def time_grid(state: Prefix, x: Examples) -> Iterator[int]:
    """One token per step, up to the maximum length."""
    yield from range(int((x.valid.sum(1) - state.valid.sum(1)).max()))


def step(
    model, state: CachedPrefix, x: Examples, vocab: Vocab, draw: Draw, rng: Generator
) -> CachedPrefix:
    """Appends x_i ~ p(x_i | x_<i) to each unfinished row; fixed tokens keep their position."""
    row, end, unfinished = frontier(state, x, vocab)
    hidden = model.extend_cache(state.tokens, end - 1, state.cache)  # (B, D)
    row, end = row[unfinished], end[unfinished]
    token = draw(model.token_logits(hidden[unfinished]), rng)
    fixed = x.fixed[row, end]
    token = torch.where(fixed, x.tokens[row, end], token)
    return state._replace(
        tokens=state.tokens.index_put((row, end), token),
        valid=state.valid.index_put((row, end), torch.ones_like(fixed)),
        fixed=state.fixed.index_put((row, end), fixed),
    )


def finished(state: CachedPrefix, x: Examples, vocab: Vocab) -> bool:
    """All rows are finished."""
    return not frontier(state, x, vocab)[2].any()


def frontier(state: CachedPrefix, x: Examples, vocab: Vocab) -> tuple[Tensor, Tensor, Tensor]:
    """Each row, its next position, and if it is unfinished: not at full length, no EOS yet."""
    row = torch.arange(len(state.tokens), device=state.tokens.device)
    end = state.valid.sum(1)
    ended = (state.tokens[row, end - 1] == vocab.eos) & ~state.fixed[row, end - 1]
    return row, end, (end < x.valid.sum(1)) & ~ended
