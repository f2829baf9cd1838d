"""Embeddings, with the documents of packed sequences if there are any."""

from torch import Tensor, nn

from ..layers import ZeroLinear, initialize

SMALL = {"width": 16}


class Backbone(nn.Module):
    """tokens (B, L) -> hidden states (B, L, D)."""

    def __init__(
        self,
        vocab_size: int,
        direction: str,
        *,
        width: int = 64,  # features of a hidden state, D; in [2, inf)
    ):
        super().__init__()
        self.embed, self.mix = nn.Embedding(vocab_size, width), ZeroLinear(width, width)
        self.apply(initialize)

    def forward(
        self,
        tokens: Tensor,
        valid: Tensor,
        segments: Tensor | None = None,
    ) -> Tensor:
        """(B, L), (B, L) -> (B, L, D)."""
        x = self.embed(tokens) * valid[..., None]
        return x + self.mix(x) * (1 if segments is None else segments[..., None])
