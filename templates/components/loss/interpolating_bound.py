"""The bound of noise that replaces tokens, in continuous time.

Paper: arXiv:2503.04482 (GIDD); arXiv:2412.10193 (UDLM)
Also known as: gidd, gidd_loss, udlm, udlm_loss, interpolating, diffusion_loss_uniform
"""

from functools import partial

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..ops import pieces, scatter
from ..types import Schedule, TokenPositions

ELBO_ALONE = True
MINIMISER = "leave_one_out"


def interpolating_bound(
    model,
    hidden: Tensor,
    target: TokenPositions,
    tokens: Tensor,
    mass: Tensor,
    dmass: Tensor,
    t: Tensor,
    schedule: Schedule,
) -> Tensor:
    """rho(z) / q(z) [KL(q || p) + q(z) / p(z) - log(q(z) / p(z)) - 1] per position, (B, L).

    z = x_t, q = alpha [x_0] + mass and p, the same of the predicted x_0; rho = mass' - (alpha' /
    alpha) mass is the rate at which noise arrives. Float64: near t = 0 the terms cancel. With a
    large vocabulary the logits are computed in pieces, and recomputed for the gradient.
    """
    row, col, token = target
    time = t.double()
    alpha, dalpha = schedule.alpha(time), schedule.dalpha(time)  # (B, 1)
    rho = dmass - dalpha / alpha.clamp(min=torch.finfo(alpha.dtype).tiny) * mass  # (B, V)
    nats = partial(jump_nats, model.token_logits)
    parts = list(pieces(len(row), mass.shape[1]))
    run = nats if len(parts) == 1 else partial(checkpoint, nats, use_reentrant=False)
    found = []
    for p in parts:
        r, c = row[p], col[p]
        found.append(run(hidden[r, c], token[p], tokens[r, c], alpha[r], mass[r], rho[r]))
    return scatter(torch.cat(found), row, col, hidden)


def jump_nats(
    head, hidden: Tensor, clean: Tensor, now: Tensor, alpha: Tensor, mass: Tensor, rho: Tensor
) -> Tensor:
    """The term of N positions, (N,), from `hidden` (N, D), alpha (N, 1), mass and rho (N, V)."""
    q = mass.scatter_add(1, clean[:, None], alpha)
    p = alpha * head(hidden).double().softmax(-1) + mass
    p = p.clamp(min=torch.finfo(p.dtype).tiny)  # tokens without probability count zero
    divergence = (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)
    q_z, p_z, rho_z = (a.gather(1, now[:, None])[:, 0] for a in (q, p, rho))
    ratio = q_z / p_z
    return rho_z / q_z * (divergence + ratio - ratio.log() - 1)
