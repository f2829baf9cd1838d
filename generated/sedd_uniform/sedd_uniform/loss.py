"""The loss of sedd_uniform: loss score_entropy."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from .ops import arrival_rate, jump_nats, position_nats
from .types import Schedule, TokenPositions


def score_entropy(
    model,
    hidden: Tensor,
    target: TokenPositions,
    tokens: Tensor,
    mass: Tensor,
    dmass: Tensor,
    t: Tensor,
    schedule: Schedule,
) -> Tensor:
    """rho(z) sum_y [s_y - r_y log s_y + r_y (log r_y - 1)] per position, (B, L), y other than z.

    z = x_t, r_y = q(y) / q(z) with q = alpha [x_0] + mass, s_y = p(y) / p(z) with p = alpha e^f +
    mass for logits f, not normalised (SEDD, arXiv:2310.16834); rho = mass' - (alpha' / alpha) mass.
    At a mask s_y = e^f_y / (e^sigma - 1), sigma = -log alpha. Of normalised logits it is
    `interpolating_bound`. Float64: near t = 0 the terms cancel.
    """
    alpha, dalpha = schedule.alpha(t.double()), schedule.dalpha(t.double())  # (B, 1)
    rho = arrival_rate(alpha, dalpha, mass, dmass)  # (B, V)
    head = partial(unnormalised, model.token_logits)
    return position_nats(jump_nats, head, hidden, target, tokens, alpha, mass, rho)


def unnormalised(head: Callable, hidden: Tensor) -> Tensor:
    """e^f of the tokens, (N, V) float64, from hidden states (N, D)."""
    return head(hidden).double().exp()
