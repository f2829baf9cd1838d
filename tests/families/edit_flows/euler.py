"""In every step each token may be deleted or substituted, and one inserted after it.

Paper: arXiv:2506.09018 (Edit Flows)
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import compact, insert, intervals
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
    """An edit happens w.p. rate * (alpha(s) - alpha(t)) / (1 - alpha(t))."""
    hidden = model(state.tokens, state.valid, t)
    share = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))  # (B, 1)
    row, col = state.valid.nonzero(as_tuple=True)
    rates = model.edit_rates(hidden[row, col])  # (N, 3)
    happens = torch.rand(rates.shape, generator=rng, device=t.device) < rates * share[row]
    insertion, deletion, substitution = (
        torch.zeros_like(state.valid).index_put((row, col), edited) for edited in happens.unbind(1)
    )
    free = state.valid & ~state.fixed
    inserted, deleted = insertion & state.open, deletion & free
    other = substitution & free & ~deleted
    row, col = other.nonzero(as_tuple=True)
    tokens = state.tokens.index_put((row, col), draw(model.token_logits(hidden[row, col]), rng))
    row, col = inserted.nonzero(as_tuple=True)
    token = draw(model.gap_token_logits(hidden[row, col]), rng)
    written = torch.zeros_like(tokens).index_put((row, col), token)
    valid, new, source = insert(inserted.long(), state.valid)
    tokens = torch.where(new, written.gather(1, source), tokens.gather(1, source))
    fixed = ~new & state.fixed.gather(1, source) & valid
    keep = valid & (new | ~deleted.gather(1, source))
    valid, tokens, fixed, open = compact(keep, tokens, fixed, state.open.gather(1, source))
    return GapState(tokens, valid, fixed & valid, open & valid)
