"""Times from 0 up to a limit that rises with the training step."""

import torch
from torch import Generator, Tensor

from ..types import Examples


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    edge: float = 1e-5,  # distance from t = 0 and t = 1; in (0, 0.001]
    steps: int = 100,  # of training until all times are drawn; in [1, inf)
) -> Tensor:
    """t ~ U(edge, min(1, 0.2 + 0.8 step / steps) - edge), (B, 1)."""
    share = 1.0 if x.step is None else min(1.0, 0.2 + 0.8 * x.step / steps)
    u = torch.rand(len(x.tokens), 1, generator=rng, device=x.tokens.device)
    return edge + (share - 2 * edge) * u
