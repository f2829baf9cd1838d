"""In every step a token into each gap that is not finished: about log2 n steps for n tokens.

Paper: arXiv:1902.03249 (Insertion Transformer, parallel decoding)
Also known as: insertion_transformer, slot_insertion
    ends: end_threshold, eos_threshold
Differs:
    insertion_transformer: the authors subtract a penalty from the logit of a finished gap; here
        `ends` is the probability from which it is finished
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import insert_drawn
from ..types import Draw, GapState


def time_grid(state: GapState) -> Iterator[int]:
    """At most as many steps as a row has free positions."""
    yield from range(int((~state.valid).sum(1).max()))


def step(
    model,
    state: GapState,
    draw: Draw,
    rng: Generator,
    *,
    ends: float = 0.5,  # probability from which a gap is finished; in [0, 1]
) -> GapState:
    """Closes the gaps with p(finished) >= ends, and inserts a token in each other open gap."""
    rows = state.open.any(1).nonzero()[:, 0]  # only these need the network
    hidden = model(state.tokens[rows], state.valid[rows])
    local, col = state.open[rows].nonzero(as_tuple=True)
    going = model.gap_end_logit(hidden[local, col]).sigmoid() < ends
    state = state._replace(open=state.open.index_put((rows[local], col), going))
    local, col = local[going], col[going]
    token = draw(model.gap_token_logits(hidden[local, col]), rng)
    state = insert_drawn(state, rows[local], col, token)
    return state._replace(open=state.open & ~state.valid.all(1, keepdim=True))


def finished(state: GapState) -> bool:
    """No gap is open."""
    return not state.open.any()
