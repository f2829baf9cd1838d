"""In every step a token into each gap that is not finished.

Paper: arXiv:1902.03249 (Insertion Transformer, parallel decoding)
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..ops import insert
from ..types import Draw, GapState, Vocab


def time_grid(state: GapState) -> Iterator[int]:
    """At most as many steps as there is room."""
    yield from range(int((~state.valid).sum(1).max()))


def step(
    model,
    state: GapState,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
    *,
    ends: float = 0.5,  # probability from which a gap is finished; in [0, 1]
) -> GapState:
    """Where p(nothing is missing) < ends a token is inserted; other gaps are closed."""
    hidden = model(state.tokens, state.valid)
    row, col = state.open.nonzero(as_tuple=True)
    going = model.slot_end(hidden[row, col]).sigmoid() < ends
    row, col = row[going], col[going]
    open = torch.zeros_like(state.open).index_put((row, col), torch.ones_like(going[going]))
    token = draw(model.gap_token_logits(hidden[row, col]), rng)
    written = torch.zeros_like(state.tokens).index_put((row, col), token)
    valid, new, source = insert(open.long(), state.valid)
    return GapState(
        tokens=torch.where(new, written.gather(1, source), state.tokens.gather(1, source)),
        valid=valid,
        fixed=state.fixed.gather(1, source) & valid & ~new,
        open=open.gather(1, source) & valid & ~valid.all(1, keepdim=True),
    )


def finished(state: GapState) -> bool:
    """No gap is open."""
    return not state.open.any()
