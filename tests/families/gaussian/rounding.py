"""-log p(token | its embedding): keeps embeddings apart.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from ..types import TokenPositions


def rounding(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(x_0 | e(x_0)) at each free position, (B, L)."""
    logits = model.embedding(model.embedding.vectors(target.token))
    nats = F.cross_entropy(logits, target.token, reduction="none")
    return scatter(nats, target.row, target.col, hidden)
