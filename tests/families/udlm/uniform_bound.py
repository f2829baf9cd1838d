"""The continuous-time bound of uniform noise.

Paper: arXiv:2412.10193 (UDLM); arXiv:2503.04482 (GIDD)
"""

import torch
from torch import Tensor

from ..ops import scatter
from ..types import Schedule, TokenPositions, Vocab

ELBO_ALONE = True


def uniform_bound(
    model,
    hidden: Tensor,
    target: TokenPositions,
    tokens: Tensor,
    t: Tensor,
    schedule: Schedule,
    vocab: Vocab,
) -> Tensor:
    """-a' / (a K q(z)) [KL(q || p) + q(z) / p(z) - log(q(z) / p(z)) - 1] per position, (B, L).

    z = x_t, q = a onehot(x_0) + (1 - a) / K, p = a x_hat + (1 - a) / K, a = alpha(t).
    """
    row, col = target.row, target.col
    ordinary = torch.ones(vocab.size, dtype=torch.float64, device=t.device)
    ordinary[list(vocab.special)] = 0
    x_hat = model.token_logits(hidden[row, col]).softmax(-1).double()  # (N, V)
    alpha, dalpha = (f(t.double())[row] for f in (schedule.alpha, schedule.dalpha))  # (N, 1)
    even = (1 - alpha) * (ordinary / ordinary.sum())  # (N, V)
    q = even.scatter_add(1, target.token[:, None], alpha)
    p = (alpha * x_hat + even).clamp(min=1e-30)
    divergence = (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)
    q_z, p_z = (a.gather(1, tokens[row, col, None])[:, 0] for a in (q, p))
    rate = -dalpha[:, 0] / (alpha[:, 0] * ordinary.sum() * q_z)
    nats = rate * (divergence + q_z / p_z - torch.log(q_z / p_z) - 1)
    return scatter(nats.to(hidden.dtype), row, col, hidden)
