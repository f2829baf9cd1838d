"""One time per sequence, drawn independently.

Also known as: uniform, independent, random, continuous
"""

import torch
from torch import Generator, Tensor

from ..types import Examples


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """t ~ U(edge, 1 - edge), (B, 1)."""
    u = torch.rand(len(x.tokens), 1, generator=rng, device=x.tokens.device)
    return edge + (1 - 2 * edge) * u
