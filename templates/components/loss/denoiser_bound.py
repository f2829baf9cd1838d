"""The bound of noise that replaces tokens, of a denoiser: the head predicts p(x_0 | x_t).

Paper: arXiv:2605.22765 (denoisers and leave-one-out predictions)
Also known as: denoiser, x0_prediction, mean_parameterization, denoiser_parameterization
Differs:
    mean_parameterization: UDLM, GIDD and Duo put the network's output in the place of a prediction
        without x_t at its position, as `interpolating_bound` does; here it is converted
"""

from torch import Tensor

from ..ops import arrival_rate, jump_nats, position_nats, without_now
from ..types import Schedule, TokenPositions

ELBO_ALONE = True
MINIMISER = "posterior"


def denoiser_bound(
    model,
    hidden: Tensor,
    target: TokenPositions,
    tokens: Tensor,
    mass: Tensor,
    dmass: Tensor,
    t: Tensor,
    schedule: Schedule,
) -> Tensor:
    """`interpolating_bound` of p(x_0 | x_t) / P(x_t | x_0), normalised, per position, (B, L).

    Where x_t is a mask the division changes nothing. Near t = 0 a denoiser has to be sure of x_t:
    the loss of an untrained one is large there, about 1 / t. Float64: the terms cancel. With a
    large vocabulary the logits are computed in pieces, and recomputed for the gradient.
    """
    alpha, dalpha = schedule.alpha(t.double()), schedule.dalpha(t.double())  # (B, 1)
    rho = arrival_rate(alpha, dalpha, mass, dmass)  # (B, V)
    return position_nats(
        denoiser_nats, model.token_logits, hidden, target, tokens, alpha, mass, rho
    )


def denoiser_nats(
    logits: Tensor, clean: Tensor, now: Tensor, alpha: Tensor, mass: Tensor, rho: Tensor
) -> Tensor:
    """`jump_nats` of the prediction without x_t at each of N positions, (N,)."""
    predicted = without_now(logits.double(), now, alpha, mass).softmax(-1)
    return jump_nats(predicted, clean, now, alpha, mass, rho)
