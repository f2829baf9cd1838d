"""Attention inside a block and to all earlier ones; in training, to the clean earlier ones.

Paper: arXiv:2503.09573 (BD3-LM)
"""

import torch
from torch import Tensor, nn

from ..layers import Block, angles, initialize

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0}
EVEN = {"width": "heads"}


class Backbone(nn.Module):
    """tokens (B, L) -> hidden states (B, L, D)."""

    def __init__(
        self,
        vocab_size: int,
        direction: str,
        block: int,
        *,
        layers: int = 12,  # blocks of attention and MLP; in [1, inf)
        width: int = 768,  # features of a hidden state, D; in [2, inf)
        heads: int = 12,  # attention heads; must divide the width; in [1, inf)
        dropout: float = 0.1,  # dropout rate on each residual branch; in [0, 1)
    ):
        super().__init__()
        self.block, self.head_size = block, width // heads
        self.embed = nn.Embedding(vocab_size, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout, False) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.apply(initialize)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """(B, L), (B, L) -> (B, L, D): all earlier blocks are clean."""
        position = torch.arange(tokens.shape[1], device=tokens.device)
        part = position // self.block
        return self.encode(tokens, valid, position, part[:, None] >= part)

    def train_pass(self, tokens: Tensor, valid: Tensor, clean: Tensor) -> Tensor:
        """(B, L), (B, L), (B, L) -> (B, L, D): corrupted blocks see clean earlier ones."""
        length = tokens.shape[1]
        position = torch.arange(length, device=tokens.device).repeat(2)
        is_clean = torch.arange(2 * length, device=tokens.device) >= length
        part = position // self.block
        earlier, own = part[:, None] > part, part[:, None] == part
        seen = earlier & is_clean | own & (is_clean[:, None] == is_clean)  # (2L, 2L)
        both = torch.cat([tokens, clean], 1)
        return self.encode(both, valid.repeat(1, 2), position, seen)[:, :length]

    def encode(self, tokens: Tensor, valid: Tensor, position: Tensor, seen: Tensor) -> Tensor:
        """Hidden states of tokens at `position` (L,), which see what `seen` (L, L) allows."""
        x = self.embed(tokens)
        cos, sin = angles(position, self.head_size)
        for block in self.blocks:
            x = block(x, valid[:, None, None] & seen, cos, sin)
        return self.norm(x)
