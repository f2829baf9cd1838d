"""The sampler of levenshtein.

Deletes wrong tokens, inserts masks and fills them, in rounds, until a round changes nothing.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config
from .noise import prior
from .ops import compact, insert, scatter
from .types import Draw, Examples, GapState, Vocab


def time_grid(
    state: GapState,
    *,
    rounds: int = 9,  # at most; in [1, inf)
) -> Iterator[int]:
    """The rounds."""
    yield from range(rounds)


def step(model, state: GapState, vocab: Vocab, draw: Draw, rng: Generator) -> GapState:
    """One round of at most three function evaluations; closes the rows that it does not change.

    The likelier of keep and delete, then the likeliest number of masks, then a token for each mask.
    """
    rows = state.open.any(1).nonzero()[:, 0]  # only these need the network
    if len(rows) == 0:
        return state
    before = GapState(*(a[rows] for a in state))
    z = deleted(model, before)
    z, masks = with_masks(model, z, vocab)
    if masks.any():
        row, col = masks.nonzero(as_tuple=True)
        token = draw(model.token_logits(model(z.tokens, z.valid)[row, col]), rng)
        z = z._replace(tokens=z.tokens.index_put((row, col), token))
    same = (z.tokens == before.tokens) | ~z.valid
    same = (same & (z.valid == before.valid)).all(1, keepdim=True)
    z = z._replace(open=z.open & ~same)
    return GapState(*(a.index_put((rows,), b) for a, b in zip(state, z, strict=True)))


def deleted(model, state: GapState) -> GapState:
    """Without the free tokens that are wrong w.p. more than 1/2."""
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    if len(row) == 0:
        return state
    right = model.delete_logit(model(state.tokens, state.valid)[row, col]) <= 0
    keep = state.valid.index_put((row, col), right)
    valid, tokens, fixed, open = compact(keep, state.tokens, state.fixed, state.open)
    return GapState(tokens, valid, fixed & valid, open & valid)


def with_masks(model, state: GapState, vocab: Vocab) -> tuple[GapState, Tensor]:
    """With the likeliest number of masks in each open gap, as many as fit; and where they are."""
    row, col = state.open.nonzero(as_tuple=True)
    logits = model.placeholder_logits(model(state.tokens, state.valid)[row, col])
    valid, new, source = insert(scatter(logits.argmax(-1), row, col, state.tokens), state.valid)
    tokens, fixed, open = (a.gather(1, source) for a in (state.tokens, state.fixed, state.open))
    tokens = torch.where(new, vocab.mask, tokens)
    return GapState(tokens, valid, fixed & valid & ~new, open & valid), new


def finished(state: GapState) -> bool:
    """No gap is open: every row stayed the same in its last round."""
    return not state.open.any()


@torch.no_grad()
def sample(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    draw = config.sampler.tokens
    state = prior(start)
    yield state
    for _ in time_grid(state, rounds=config.sampler.rounds):
        state = step(model, state, config.vocab, draw, rng)
        yield state
        if finished(state):
            return
