"""The sampler of editflows_pairs.

In every step each token may be deleted or substituted, and one inserted after it.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config
from .noise import prior
from .ops import compact, insert_drawn, intervals
from .types import Draw, Examples, GapState, Interval, Schedule


def time_grid(
    state: GapState,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model, state: GapState, t: Tensor, s: Tensor, schedule: Schedule, draw: Draw, rng: Generator
) -> GapState:
    """An edit happens w.p. alpha(s) - alpha(t) times its head; the deletion goes first.

    A head times 1 - alpha(t) is the probability that the edit remains (arXiv:2506.09018); it is
    made w.p. (alpha(s) - alpha(t)) / (1 - alpha(t)). A frozen rate times the integral of the hazard
    instead diverges at t = 0. Exact in the limit of many steps. As many insertions as fit are made.
    """
    hidden = model(state.tokens, state.valid, t)
    share = schedule.alpha(s) - schedule.alpha(t)  # (B, 1)
    u = torch.rand((3, *state.tokens.shape), generator=rng, device=t.device)
    inserts = happening(model.gap_count, hidden, state.open, share, u[0])
    free = state.valid & ~state.fixed
    deleted = happening(model.delete_rate, hidden, free, share, u[1])
    other = happening(model.substitute_rate, hidden, free & ~deleted, share, u[2])
    row, col = other.nonzero(as_tuple=True)
    tokens = state.tokens.index_put((row, col), draw(model.token_logits(hidden[row, col]), rng))
    row, col = inserts.nonzero(as_tuple=True)
    token = draw(model.gap_token_logits(hidden[row, col]), rng)
    marked = state._replace(tokens=torch.where(deleted, -1 - tokens, tokens))  # the deleted ones
    grown = insert_drawn(marked, row, col, token)
    keep = grown.valid & (grown.tokens >= 0)
    valid, tokens, fixed, open = compact(keep, grown.tokens, grown.fixed, grown.open)
    return GapState(tokens.clamp(min=0), valid, fixed & valid, open & valid)


def happening(head, hidden: Tensor, where: Tensor, share: Tensor, u: Tensor) -> Tensor:
    """The positions, out of `where`, at which u (B, L) is less than share (B, 1) times the head."""
    row, col = where.nonzero(as_tuple=True)
    return where.index_put((row, col), u[row, col] < share[row, 0] * head(hidden[row, col]))


@torch.no_grad()
def sample(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = config.sampler.tokens
    state = prior(start, config.vocab, rng)
    yield state
    for t, s in time_grid(state, steps=config.sampler.steps):
        state = step(model, state, t, s, schedule, draw, rng)
        yield state
