"""Learned embeddings of tokens, and the logits of the tokens near a vector.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..types import Vocab


class Embedding(nn.Module):
    """vector -> logits; masks, padding and BOS are never predicted. Vectors have norm sqrt(E)."""

    never: Tensor  # (V,) bool

    def __init__(self, vocab: Vocab, latent: int):
        super().__init__()
        self.table = nn.Embedding(vocab.size, latent)
        never = torch.zeros(vocab.size, dtype=torch.bool)
        never[list(vocab.special)] = True
        self.register_buffer("never", never, persistent=False)

    def vectors(self, tokens: Tensor) -> Tensor:
        """The embeddings of tokens, (...) -> (..., E)."""
        return F.normalize(self.table(tokens), dim=-1) * self.table.embedding_dim**0.5

    def forward(self, hidden: Tensor) -> Tensor:  # (N, E) -> (N, V)
        logits = hidden @ F.normalize(self.table.weight, dim=-1).T
        return logits.masked_fill(self.never, -torch.inf).float()
