"""The continuous-time bound of noise that interpolates, in units of the rate -alpha' / (1 - alpha).

Paper: arXiv:2503.04482 (GIDD)
"""

import torch
from torch import Tensor

from ..ops import scatter
from ..types import Schedule, TokenPositions, Vocab

ELBO_TERM = True


def mixed_bound(
    model,
    hidden: Tensor,
    target: TokenPositions,
    tokens: Tensor,
    t: Tensor,
    schedule: Schedule,
    vocab: Vocab,
) -> Tensor:
    """rho(z) / q(z) [KL(q || p) + q(z)/p(z) - log q(z)/p(z) - 1] per position.

    q = a onehot(x) + b, p = a x_hat + b, rho = b' - a' / a b.
    """
    row, col = target.row, target.col
    t = t.double()
    x_hat = model.token_logits(hidden[row, col]).softmax(-1).double()  # (N, V)
    rate = -schedule.dalpha(t) / (1 - schedule.alpha(t)).clamp(min=1e-7)
    alpha = schedule.alpha(t)[row]  # (N, 1)
    b = schedule.mass(t, vocab)[row]  # (N, V)
    rho = schedule.dmass(t, vocab)[row] - (schedule.dalpha(t) / schedule.alpha(t))[row] * b
    q = b.scatter_add(1, target.token[:, None], alpha)
    p = (alpha * x_hat + b).clamp(min=1e-30)
    divergence = (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)
    z = tokens[row, col, None]
    q_z, p_z, rho_z = (a.gather(1, z)[:, 0] for a in (q, p, rho))
    nats = rho_z / q_z * (divergence + q_z / p_z - torch.log(q_z / p_z) - 1) / rate[row, 0]
    return scatter(nats.to(hidden.dtype), row, col, hidden)
