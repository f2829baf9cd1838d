"""-log p(a token is wrong, or right).

Paper: arXiv:1905.11006 (Levenshtein Transformer)
"""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from .wrong_flags import Flags


def flag_cross_entropy(model, hidden: Tensor, target: Flags) -> Tensor:
    """The binary cross-entropy at each free position, (B, L)."""
    logit = model.wrong_logit(hidden[target.row, target.col])  # (N,)
    nats = F.binary_cross_entropy_with_logits(logit, target.flag.float(), reduction="none")
    return scatter(nats, target.row, target.col, hidden)
