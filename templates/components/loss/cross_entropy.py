"""-log p(token | x_t) at the target positions.

Also known as: ce, ce_loss, nll, xent, crossentropy, cross_entropy_loss, masked_ce, mlm,
    elbo (weight: elbo), nelbo (weight: elbo), vlb (weight: elbo), mdlm (weight: elbo),
    subs (weight: elbo), diffusion_loss (weight: elbo)
Differs:
    mlm, masked_ce: the mean over masked tokens there, here `weight: per_masked`; without it the sum
        over a sequence
    vlb: D3PM's, of T discrete steps, is `posterior_kl`; here its limit, in continuous time
"""

from torch import Tensor

from ..ops import scatter, token_nats
from ..types import TokenPositions

ELBO_TERM = True
MINIMISER = "posterior"


def cross_entropy(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(token | x_t) per position, (B, L); logits only at the target positions."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = token_nats(model.token_logits, at, target.token)  # (N,)
    return scatter(nats, target.row, target.col, hidden)
