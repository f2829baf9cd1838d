"""T times, 1/T, 2/T, ..., 1, each with the same probability: diffusion in discrete time.

Paper: arXiv:2107.03006 (D3PM)
Also known as: discrete_time, d3pm
    noise_steps: t, t_max, num_timesteps, timesteps, diffusion_steps, n_timesteps
"""

import torch
from torch import Generator, Tensor

from ..types import Examples


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    noise_steps: int = 1000,  # number of times, T; in [1, inf)
) -> Tensor:
    """t = k / T, k ~ U{1, ..., T}, (B, 1)."""
    device = x.tokens.device
    k = torch.randint(1, noise_steps + 1, (len(x.tokens), 1), generator=rng, device=device)
    return k / noise_steps


def every_time(
    *,
    noise_steps: int = 1000,  # number of times, T; in [1, inf)
) -> Tensor:
    """All times, (T,), each with probability 1 / T."""
    return torch.arange(1, noise_steps + 1) / noise_steps
