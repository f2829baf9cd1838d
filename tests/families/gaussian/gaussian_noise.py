"""Gaussian noise on learned embeddings.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule, Vocab


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) long, masks at free positions
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    latent: Tensor  # (B, L, E) the noisy embeddings; without noise at fixed positions


class LatentState(NamedTuple):
    """The state of a sampler of vectors."""

    tokens: Tensor  # (B, L) long, the nearest tokens; masks before the first step
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    latent: Tensor  # (B, L, E), E is the number `latent`


def corrupt(
    model, x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator
) -> Noised:
    """z_t = sqrt(alpha(t)) e(x_0) + sqrt(1 - alpha(t)) noise."""
    tokens, latent = noised(model, x, schedule.alpha(t), vocab, rng)
    return Noised(tokens, x.valid, x.tokens, latent)


def prior(model, x: Examples, vocab: Vocab, rng: Generator) -> LatentState:
    """Noise at the free positions."""
    tokens, latent = noised(model, x, torch.zeros_like(x.tokens[:, :1]), vocab, rng)
    return LatentState(tokens, x.valid.clone(), x.fixed.clone(), latent)


def noised(
    model, x: Examples, alpha: Tensor, vocab: Vocab, rng: Generator
) -> tuple[Tensor, Tensor]:
    """The tokens and the vectors at alpha (B, 1)."""
    free = x.valid & ~x.fixed
    clean = model.embedding.vectors(x.tokens)
    noise = torch.randn(clean.shape, generator=rng, device=clean.device)
    alpha = torch.where(free, alpha, 1)[..., None].to(clean.dtype)
    latent = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
    return x.tokens.masked_fill(free, vocab.mask), latent
