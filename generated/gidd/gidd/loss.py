"""The loss of gidd: loss interpolating_bound."""

from functools import partial

from torch import Tensor

from .ops import arrival_rate, jump_nats, position_nats, probabilities
from .types import Schedule, TokenPositions


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
    alpha, dalpha = schedule.alpha(t.double()), schedule.dalpha(t.double())  # (B, 1)
    rho = arrival_rate(alpha, dalpha, mass, dmass)  # (B, V)
    head = partial(probabilities, model.token_logits)
    return position_nats(jump_nats, head, hidden, target, tokens, alpha, mass, rho)
