"""Left to right, with a cache of keys and values: one new site is computed for each token.

Also known as: ar, arlm, left_to_right, ltr, l2r, causal, gpt, lm,
    greedy (tokens: {kind: top_k, k: 1})
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Draw, Examples, Prefix, Vocab

EXACT = True


class Written(NamedTuple):
    """A prefix, and what the network keeps of it."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    cache: list[tuple[Tensor, Tensor]]  # keys and values of each layer


def enter(model, state: Prefix) -> Written:
    """Reads the prompt in one pass."""
    return Written(*state, model.open_cache(state.tokens, state.valid))


def times(state: Prefix, x: Examples) -> Iterator[int]:
    """One token a step, to the end of the room."""
    yield from range(int((x.valid.sum(1) - state.valid.sum(1)).max()))


def step(model, state: Written, x: Examples, vocab: Vocab, draw: Draw, rng: Generator) -> Written:
    """Appends x_i ~ p(x_i | x_<i) to every row that goes on; given tokens stay where they stand."""
    row, end, going = frontier(state, x, vocab)
    hidden = model.extend_cache(state.tokens, end - 1, state.cache)  # (B, D)
    row, end = row[going], end[going]
    token = draw(model.token_logits(hidden[going]), rng)
    given = x.fixed[row, end]
    token = torch.where(given, x.tokens[row, end], token)
    return state._replace(
        tokens=state.tokens.index_put((row, end), token),
        valid=state.valid.index_put((row, end), torch.ones_like(given)),
        fixed=state.fixed.index_put((row, end), given),
    )


def finished(state: Written, x: Examples, vocab: Vocab) -> bool:
    """No row goes on."""
    return not frontier(state, x, vocab)[2].any()


def frontier(state: Written, x: Examples, vocab: Vocab) -> tuple[Tensor, Tensor, Tensor]:
    """Each row, its next site, and whether it goes on: it has room and has not ended with EOS."""
    row = torch.arange(len(state.tokens), device=state.tokens.device)
    end = state.valid.sum(1)
    ended = (state.tokens[row, end - 1] == vocab.eos) & ~state.fixed[row, end - 1]
    return row, end, (end < x.valid.sum(1)) & ~ended
