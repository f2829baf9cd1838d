"""Times between two limits, spread evenly over the global batch; the bound draws its own, from all.

Paper: arXiv:2503.09573 (BD3-LM, clipped times); arXiv:2406.07524 (MDLM, its code: from 0.001 to 1)
Also known as: clipped_times, truncated, one_sided, clipped_schedule
    least: beta, sampling_eps_min, eps_min
    most: omega, sampling_eps_max, eps_max, t_max
"""

import torch
from torch import Generator, Tensor

from ..types import Examples


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    least: float = 0.001,  # smallest time of the objective; in (0, 1)
    most: float = 1.0,  # largest time of the objective; in (0, 1]
) -> Tensor:
    """One t in each of `total` equal parts of (least, most), (B, 1); each t alone is uniform.

    The objective lacks the other times: it does not bound log p(x), but varies less than with the
    large weights near t = 0 (BD3-LM, arXiv:2503.09573, section 4).
    """
    return least + (most - least) * spread(x, rng)


def bound_time(
    x: Examples,
    rng: Generator,
    *,
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1 in the bound; in (0, 0.001]
) -> Tensor:
    """The same of (edge, 1 - edge), (B, 1): the times of the bound."""
    return edge + (1 - 2 * edge) * spread(x, rng)


def spread(x: Examples, rng: Generator) -> Tensor:
    """One number in each of `total` equal parts of (0, 1), (B, 1).

    With `x.index` (in random order) and `x.total`, the parts span the global batch.
    """
    batch, device = len(x.tokens), x.tokens.device
    if x.index is None or x.total is None:
        part, total = torch.randperm(batch, generator=rng, device=device), batch
    else:
        part, total = x.index, x.total
    return (part[:, None] + torch.rand(batch, 1, generator=rng, device=device)) / total
