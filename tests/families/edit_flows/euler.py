"""In every step each token may be deleted or substituted, and one inserted after it.

Paper: arXiv:2506.09018 (Edit Flows)
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import compact, insert, intervals, scatter
from ..types import Draw, GapState, Interval, Schedule


def time_grid(
    state: GapState,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model,
    state: GapState,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    draw: Draw,
    rng: Generator,
) -> GapState:
    """An edit happens w.p. alpha(s) - alpha(t) times the head; a deleted token is not substituted.

    The head times 1 - alpha(t) is the expected number of remaining edits, each of which happens
    w.p. (alpha(s) - alpha(t)) / (1 - alpha(t)).
    """
    hidden = model(state.tokens, state.valid, t)
    share = (schedule.alpha(s) - schedule.alpha(t))[..., None]  # (B, 1, 1)
    rates = model.edit_rates(hidden)  # (B, W, 3)
    happens = torch.rand(rates.shape, generator=rng, device=t.device) < rates * share
    free = state.valid & ~state.fixed
    allowed = torch.stack([state.open, free, free], -1)
    inserted, deleted, other = (happens & allowed).unbind(-1)
    row, col = (other & ~deleted).nonzero(as_tuple=True)
    tokens = state.tokens.index_put((row, col), draw(model.token_logits(hidden[row, col]), rng))
    row, col = inserted.nonzero(as_tuple=True)
    written = scatter(draw(model.gap_token_logits(hidden[row, col]), rng), row, col, tokens)
    valid, new, source = insert(inserted.long(), state.valid)
    old = (tokens, state.fixed, state.open, deleted)
    tokens, fixed, open, deleted = (a.gather(1, source) for a in old)
    tokens = torch.where(new, written.gather(1, source), tokens)
    keep = valid & (new | ~deleted)
    valid, tokens, fixed, open = compact(keep, tokens, fixed & ~new, open)
    return GapState(tokens, valid, fixed & valid, open & valid)
