"""Times by importance: more near the data, where the ELBO weight is large; terms are corrected.

Paper: arXiv:2406.07524 (MDLM, its code); arXiv:2107.00630 (VDM, times that lower the variance)
Also known as: importance_sampling, change_of_variables, log_uniform (exponent: 0.99)
    exponent: bias, concentration
Differs:
    importance_sampling, change_of_variables: MDLM's times are uniform in log(1 - alpha), from
        0.001 on; here that is nearly `exponent: 0.99` with `edge: 0.001`
"""

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule

IMPORTANCE = True


def sample_time(
    x: Examples,
    schedule: Schedule,
    rng: Generator,
    *,
    exponent: float = 0.5,  # 0: 1 - alpha(t) is uniform, near 1: its logarithm; in [0, 0.99]
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """The density of m = 1 - alpha(t) is proportional to m^-exponent, (B, 1).

    m^(1 - exponent) is uniform, with one value in each of `total` equal parts. With `x.index` (in
    random order) and `x.total`, the parts span the global batch.
    """
    batch, device = len(x.tokens), x.tokens.device
    if x.index is None or x.total is None:
        part, total = torch.randperm(batch, generator=rng, device=device), batch
    else:
        part, total = x.index, x.total
    u = (part[:, None] + torch.rand(batch, 1, generator=rng, device=device)) / total
    low, high = powers_at_ends(schedule, exponent, edge)
    share = (low + (high - low) * u.double()) ** (1 / (1 - exponent))
    return schedule.inverse(1 - share).to(u)


def density(
    t: Tensor,
    schedule: Schedule,
    *,
    exponent: float = 0.5,  # 0: 1 - alpha(t) is uniform, near 1: its logarithm; in [0, 0.99]
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """-(1 - exponent) alpha'(t) (1 - alpha(t))^-exponent over its integral, (B, 1).

    The objective and the bound divide their terms by it: their means are those with uniform times,
    and they lack the times nearer than `edge` to 0 or 1 in the same way.
    """
    time = t.double()
    low, high = powers_at_ends(schedule, exponent, edge)
    share = (1 - schedule.alpha(time)).clamp(min=torch.finfo(t.dtype).tiny)
    p = -schedule.dalpha(time) * (1 - exponent) * share**-exponent / (high - low)
    return p.to(t)


def powers_at_ends(schedule: Schedule, exponent: float, edge: float) -> list[float]:
    """(1 - alpha(t))^(1 - exponent) at t = edge and at t = 1 - edge."""
    ends = torch.tensor([edge, 1 - edge], dtype=torch.float64)
    return ((1 - schedule.alpha(ends)) ** (1 - exponent)).tolist()
