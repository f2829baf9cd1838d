"""The squared distance of the predicted embedding from that of x_0.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

from torch import Tensor

from ..ops import scatter
from ..types import TokenPositions


def vector_distance(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """|e_hat(z_t, t) - e(x_0)|^2 at each free position, (B, L)."""
    found = model.clean_latent(hidden[target.row, target.col])
    distance = (found - model.embedding.vectors(target.token)).square().sum(-1)
    return scatter(distance, target.row, target.col, hidden)
