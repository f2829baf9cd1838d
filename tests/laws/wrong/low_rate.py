"""The bound of uniform noise; wrong: K counts special tokens, too.

Paper: arXiv:2412.10193 (UDLM); arXiv:2503.04482 (GIDD)
"""

import torch
from torch import Tensor

from ..ops import scatter
from ..types import Schedule, TokenPositions, Vocab

ELBO_TERM = True


def low_rate(
    model,
    hidden: Tensor,
    target: TokenPositions,
    tokens: Tensor,
    t: Tensor,
    schedule: Schedule,
    vocab: Vocab,
) -> Tensor:
    """(1 - a) / (a K q(z)) [KL(q || p) + q(z)/p(z) - log q(z)/p(z) - 1] per position, z = x_t.

    q = a onehot(x) + (1 - a) / K, p = a x_hat + (1 - a) / K, a = alpha(t).
    """
    row, col = target.row, target.col
    usual = torch.ones(vocab.size, device=t.device)
    usual[list(vocab.special)] = 0
    x_hat = model.token_logits(hidden[row, col]).softmax(-1).double()  # (N, V)
    alpha = schedule.alpha(t.double())[row]  # (N, 1)
    even = (1 - alpha) * (usual / usual.sum())  # (N, V)
    q = even.scatter_add(1, target.token[:, None], alpha)
    p = (alpha * x_hat + even).clamp(min=1e-30)
    divergence = (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)
    z = tokens[row, col, None]
    q_z, p_z = (a.gather(1, z)[:, 0] for a in (q, p))
    jump = (1 - alpha[:, 0]) / (alpha[:, 0] * vocab.size * q_z)
    nats = jump * (divergence + q_z / p_z - torch.log(q_z / p_z) - 1)
    return scatter(nats.to(hidden.dtype), row, col, hidden)
