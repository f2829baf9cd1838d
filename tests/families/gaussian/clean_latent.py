"""The embedding of the clean token.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

from torch import Tensor, nn


class CleanLatent(nn.Module):
    """hidden state -> predicted embedding of x_0 at this position."""

    def __init__(self, width: int, latent: int):
        super().__init__()
        self.linear = nn.Linear(width, latent)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N, E)
        return self.linear(hidden)
