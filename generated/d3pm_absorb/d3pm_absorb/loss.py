"""The loss of d3pm_absorb: loss posterior_kl."""

from functools import partial

import torch
from torch import Tensor

from .ops import mixed_noise, position_nats, probabilities
from .types import MixedSchedule, TokenPositions, Vocab


def posterior_kl(
    model,
    hidden: Tensor,
    target: TokenPositions,
    tokens: Tensor,
    mass: Tensor,
    t: Tensor,
    schedule: MixedSchedule,
    vocab: Vocab,
    noise_steps: int,
) -> Tensor:
    """T KL(q(x_s | x_t, x_0) || p(x_s | x_t)) per position, (B, L), s = t - 1 / T.

    q ~ P(x_t | x_s) (alpha(s) [x_0] + mass_s)(x_s), and p the same of the predicted x_0, a
    prediction without x_t at this position (D3PM, arXiv:2107.03006). At s = 0 nothing is noised,
    and it is the reconstruction term -T log p(x_0 | x_t). The prior has no term: alpha(1) = 0.
    """
    time = t.double()
    s = (time - 1 / noise_steps).clamp(min=0)
    alpha_s = schedule.alpha(s)  # (B, 1)
    mass_s, _ = mixed_noise(s, schedule, vocab)  # (B, V)
    keep = schedule.alpha(time) / alpha_s.clamp(min=torch.finfo(alpha_s.dtype).tiny)
    enter = (mass - keep * mass_s).clamp(min=0)  # not below zero by rounding
    given = alpha_s, mass_s, keep, enter
    head = partial(probabilities, model.token_logits)
    return noise_steps * position_nats(step_nats, head, hidden, target, tokens, *given)


def step_nats(
    predicted: Tensor,
    clean: Tensor,
    now: Tensor,
    alpha: Tensor,
    mass: Tensor,
    keep: Tensor,
    enter: Tensor,
) -> Tensor:
    """KL of the posteriors at N positions, (N,), from the noise to s, and from s to t."""
    now = now[:, None]
    arrived = enter.gather(1, now).expand_as(mass).scatter_add(1, now, keep)  # P(x_t | each x_s)
    q = arrived * mass.scatter_add(1, clean[:, None], alpha)
    p = arrived * (alpha * predicted + mass)
    tiny = torch.finfo(p.dtype).tiny
    q, p = (a / a.sum(-1, keepdim=True).clamp(min=tiny) for a in (q, p))
    p = p.clamp(min=tiny)  # what has no probability counts zero
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)
