"""Gaussian noise on learned embeddings.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule, Vocab
from .latent_state import LatentState


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) long, masks at free positions
    valid: Tensor  # (B, L)
    latent: Tensor  # (B, L, E) the noisy embeddings; without noise at fixed positions
    clean_vector: Tensor  # (B, L, E) the embeddings of x_0


def with_fixed(clean: Tensor, latent: Tensor, x: Examples) -> Tensor:
    """The embeddings `clean` at fixed positions, `latent` elsewhere, (B, L, E)."""
    return torch.where(x.fixed[..., None], clean, latent)


def corrupt(
    model, x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator
) -> Noised:
    """z_t = sqrt(alpha(t)) e(x_0) + sqrt(1 - alpha(t)) noise."""
    clean = model.embedding.vectors(x.tokens)
    noise = torch.randn(clean.shape, generator=rng, device=clean.device)
    alpha = schedule.alpha(t)[..., None].to(clean.dtype)
    latent = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return Noised(tokens, x.valid, with_fixed(clean, latent, x), clean)


def prior(model, x: Examples, vocab: Vocab, rng: Generator) -> LatentState:
    """Noise at the free positions."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    clean = model.embedding.vectors(tokens)
    noise = torch.randn(clean.shape, generator=rng, device=clean.device)
    latent = with_fixed(clean, noise.to(clean.dtype), x)
    return LatentState(tokens, x.valid.clone(), x.fixed.clone(), latent)
