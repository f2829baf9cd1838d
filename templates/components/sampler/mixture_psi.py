"""Psi sampling of masks and random tokens: each step is ancestral, or noises x_0 afresh.

Paper: arXiv:2602.21185 (Psi-samplers); with masks alone arXiv:2503.00307 (ReMDM)
Also known as: psi, psi_sampler, predictor_corrector
    steps: num_steps, n_steps, num_sampling_steps, sampling_steps, num_inference_steps,
        diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
    share: kappa, psi_kappa
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import categorical, denoised, intervals, mixed_noise
from ..types import Draw, Interval, Mixed, MixedSchedule, Vocab

EXACT_AT = {"steps": 128, "share": 1}  # nearly: positions of a step are independent
PREDICTIONS = "leave_one_out"


def time_grid(
    state: Mixed,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model,
    state: Mixed,
    t: Tensor,
    s: Tensor,
    schedule: MixedSchedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
    *,
    share: float = 0.95,  # of the posterior; 1 is ancestral sampling; in [0, 1]
) -> Mixed:
    """x_s from k q(x_s | x_t, x_0) + (1 - k) q(x_s | x_0), with x_0 from p(x_0 | x_t).

    Both give the noise at s of each token (arXiv:2602.21185). q(x_s | x_t, x_0) is x_t with
    probability a q_s(x_t | x_0) / q_t(x_t | x_0), a = alpha(t) / alpha(s), and else a sample of
    q(x_s | x_0). Not exact unless k = 1: the noise of several positions is drawn at once.
    """
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    now = state.tokens[row, col]
    alpha_t, alpha_s = schedule.alpha(t)[row], schedule.alpha(s)[row]  # (N, 1)
    (mass_t, _), (mass_s, _) = (mixed_noise(u, schedule, vocab) for u in (t, s))  # (B, V)
    logits = model.token_logits(model(state.tokens, state.valid, t)[row, col])  # (N, V)
    clean = draw(denoised(logits, now, alpha_t, mass_t[row]), rng)  # (N,)

    q_s = mass_s[row].scatter_add(1, clean[:, None], alpha_s)  # q(x_s | x_0), (N, V)
    same = (now == clean).to(alpha_t)[:, None]
    q_t = alpha_t * same + mass_t[row].gather(1, now[:, None])  # q(x_t | x_0), (N, 1)
    stays = share * alpha_t / alpha_s * q_s.gather(1, now[:, None]) / q_t
    u = torch.rand(stays.shape, generator=rng, device=now.device)
    token = torch.where((u < stays)[:, 0], now, categorical(q_s, rng))
    return state._replace(tokens=state.tokens.index_put((row, col), token))
