"""One time per sequence, spread evenly over the global batch: unbiased, with lower variance.

Paper: arXiv:2107.00630 (VDM); arXiv:2406.07524 (MDLM, antithetic sampling)
Also known as: antithetic, antithetic_sampling, low_discrepancy, low_discrepancy_sampler, lowdisc,
    quasi_random, strata
    edge: eps, epsilon, sampling_eps, eps_t, t_min
Differs:
    sampling_eps, eps_t, t_min: there only times near t = 0 are excluded, as with `time: {kind:
        clipped, least: 0.001}`; `edge` also excludes times near t = 1
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
    """One t in each of `total` equal parts of (edge, 1 - edge), (B, 1); each t alone is uniform.

    With `x.index` (in random order) and `x.total`, the parts span the global batch. Times nearer
    than `edge` to 0 or 1 are left out, which makes a bound slightly too optimistic: by a share
    of about 1e-6 with edge 1e-5, of 1e-4 with 1e-3; of ten times as much with the steepest
    schedules. With an infinite slope at an end the share is large: about the root of `edge`.
    """
    batch, device = len(x.tokens), x.tokens.device
    if x.index is None or x.total is None:
        part, total = torch.randperm(batch, generator=rng, device=device), batch
    else:
        part, total = x.index, x.total
    u = (part[:, None] + torch.rand(batch, 1, generator=rng, device=device)) / total
    return edge + (1 - 2 * edge) * u
