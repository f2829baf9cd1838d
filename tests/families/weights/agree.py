"""R-Drop: a second pass with more masks predicts the same.

Paper: arXiv:2106.14448 (R-Drop)
"""

import torch
from torch import Generator, Tensor

from ..ops import scatter
from ..types import Examples, TokenPositions, Vocab

AUXILIARY = True


def agree(
    model,
    hidden: Tensor,
    target: TokenPositions,
    x: Examples,
    masked: Tensor,
    vocab: Vocab,
    rng: Generator,
    *,
    more: float = 0.3,  # share of the visible tokens that the second pass masks; in [0, 1]
) -> Tensor:
    """KL(p || p') at the masked positions, (B, L)."""
    u = torch.rand(masked.shape, generator=rng, device=masked.device)
    also = masked | (x.valid & ~x.fixed & (u < more))
    other = model(x.tokens.masked_fill(also, vocab.mask), x.valid)
    p = model.token_logits(hidden[target.row, target.col]).log_softmax(-1)
    q = model.token_logits(other[target.row, target.col]).log_softmax(-1)
    known = p.isfinite() & q.isfinite()
    nats = torch.where(known, p.exp() * (p - q).masked_fill(~known, 0.0), 0.0).sum(-1)
    return scatter(nats, target.row, target.col, hidden)
