"""-log p(a token is wrong, or right).

Paper: arXiv:1905.11006 (Levenshtein Transformer)
Also known as: word_del_loss, deletion_cross_entropy
"""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from ..types import WrongTokens


def delete_cross_entropy(model, hidden: Tensor, target: WrongTokens) -> Tensor:
    """The binary cross-entropy at each free position, (B, L)."""
    logit = model.delete_logit(hidden[target.row, target.col])  # (N,)
    wrong = target.wrong.to(logit.dtype)
    nats = F.binary_cross_entropy_with_logits(logit, wrong, reduction="none")
    return scatter(nats, target.row, target.col, hidden)
