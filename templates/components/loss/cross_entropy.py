"""-log p(token | x_t) at the wanted sites.

Also known as: ce, ce_loss, nll, xent, crossentropy, cross_entropy_loss, masked_ce, mlm,
    elbo (weight: elbo), nelbo (weight: elbo), vlb (weight: elbo), mdlm (weight: elbo),
    subs (weight: elbo), diffusion_loss (weight: elbo)
"""

import torch.nn.functional as F
from torch import Tensor

from ..ops import spread
from ..types import TokenSites

BOUND = True


def cross_entropy(model, hidden: Tensor, target: TokenSites) -> Tensor:
    """-log p(token | x_t) per site, (B, L); only the wanted sites reach the vocabulary."""
    logits = model.token_logits(hidden[target.row, target.col])  # (N, V)
    nats = F.cross_entropy(logits, target.token, reduction="none")  # (N,)
    return spread(nats, target.row, target.col, hidden)
