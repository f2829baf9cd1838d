"""Deletes wrong tokens, inserts masks and fills them, for some rounds.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import compact, insert, scatter
from ..types import Draw, GapState, Vocab


def time_grid(
    state: GapState,
    *,
    rounds: int = 3,  # rounds of deletion, insertion and filling; in [1, inf)
) -> Iterator[int]:
    """The rounds."""
    yield from range(rounds)


def step(model, state: GapState, vocab: Vocab, draw: Draw, rng: Generator) -> GapState:
    """One round, with three function evaluations."""
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    wrong = model.wrong_logit(model(state.tokens, state.valid)[row, col]) > 0
    keep = state.valid.index_put((row, col), ~wrong)
    valid, tokens, fixed, open = compact(keep, state.tokens, state.fixed, state.open)
    row, col = (open & valid).nonzero(as_tuple=True)
    counts = model.missing_count(model(tokens, valid)[row, col]).round().long()
    grown, new, source = insert(scatter(counts, row, col, tokens), valid)
    tokens = tokens.gather(1, source).masked_fill(new, vocab.mask)
    row, col = new.nonzero(as_tuple=True)
    token = draw(model.token_logits(model(tokens, grown)[row, col]), rng)
    return GapState(
        tokens=tokens.index_put((row, col), token),
        valid=grown,
        fixed=~new & fixed.gather(1, source) & grown,
        open=open.gather(1, source) & grown,
    )
