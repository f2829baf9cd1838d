"""Keeps the draws of lowest entropy, as many as a bound on the joint error allows; noises the rest.

Paper: arXiv:2608.00146 (DiffusionGemma); arXiv:2505.24857 (Ben-Hamu et al., the bound)
Also known as: diffusion_gemma, diffusiongemma, entropy_bound_renoise, renoise,
    entropy_bound_sampler
    steps: max_denoising_steps, num_steps, n_steps, num_sampling_steps, sampling_steps,
        num_inference_steps, diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
    gamma: entropy_bound, epsilon, bound, entropy_budget
    warmest: t_max
    coldest: t_min
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import intervals, mixed_noise, rank
from ..types import Draw, Interval, Mixed, MixedSchedule, Vocab

PREDICTIONS = "posterior"


def time_grid(
    state: Mixed,
    *,
    steps: int = 48,  # equal steps from t = 1 to t = 0; in [1, inf)
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
    gamma: float = 0.1,  # bound on the joint error of kept tokens, in nats; in [0, inf)
    warmest: float = 0.8,  # temperature at t = 1; in [0.001, 1000]
    coldest: float = 0.4,  # temperature at t = 0; in [0.001, 1000]
) -> Mixed:
    """Draws x_0 at each free position, keeps the surest, and noises the others as at t = 1.

    The entropies of those that are kept, minus the largest, sum to at most gamma (EB-Sampler,
    arXiv:2505.24857), at a temperature that is linear in t. A token that was kept can be noised
    again. The last step takes the likeliest token everywhere (DiffusionGemma, its code).
    """
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    logits = model.token_logits(model(state.tokens, state.valid, t)[row, col])  # (N, V)
    logits = logits / (coldest + (warmest - coldest) * t[row])
    p = logits.softmax(-1)
    entropy = -p.xlogy(p).sum(-1)  # (N,)
    nth = rank(-entropy, row)  # (N,) 0 at the lowest entropy of each row
    ranked = entropy.new_zeros(state.tokens.shape).index_put((row, nth), entropy)  # (B, L)
    kept = (ranked.cumsum(1) - ranked)[row, nth] <= gamma  # (N,)
    noise, _ = mixed_noise(torch.ones_like(t), schedule, vocab)  # (B, V)
    random = torch.multinomial(noise, state.tokens.shape[1], True, generator=rng)  # (B, L)
    token = torch.where(kept, draw(logits, rng), random[row, col])
    token = torch.where(s[row, 0] > 0, token, p.argmax(-1))
    return state._replace(tokens=state.tokens.index_put((row, col), token))
