"""Laws of the times of training."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .calls import call
from .law import ALARM, Figure, law, needs, when
from .method import Method
from .samples import bins
from .toy_distribution import generator, surprise

timed = when(lambda m: m.defines("noise", "sample_time"), "the noise has no time")


def times(m: Method, x, seed: int) -> Tensor:
    """The times of the sequences, by `sample_time` of the package: (B, 1), or one per position."""
    scope = m.scope(x=x, rng=generator(seed))
    return call(m.part("noise").sample_time, scope, m.config.noise.time)


@law(
    "each time is uniformly distributed",
    needs(
        timed,
        when(lambda m: not m.defines("noise", "density"), "the times state another density"),
    ),
)
def uniform_times(m: Method) -> Iterator[Figure]:
    """The time of the first sequence in 4,000 batches of 8; at its last position.

    Without a bound of log p(x), other times can be intended.
    """
    x = m.examples(*m.toy_distribution().batch(range(8)))
    t = torch.stack([times(m, x, i)[0, -1:] for i in range(4000)])
    parts = 20 if m.discrete_times is None else len(m.discrete_times)
    inside = 0.0 if m.discrete_times is None else 0.5 / parts  # a time is the end of its part
    uniform = torch.full((parts,), 1 / parts, dtype=torch.float64)
    right, wrong = (surprise(bins(a - inside, parts).double(), uniform) for a in (t, t**1.3))
    free = not hasattr(m.module, "log_likelihood_bound")
    yield Figure(right, ALARM, wrong, intended=free)


def stratified(m: Method) -> str:
    """Are the times stratified, according to the law file of their component?"""
    law = m.law("time", m.noise["time"]["kind"])
    return "" if getattr(law, "STRATA", False) else "the times have no strata"


@law("time strata cover the global batch", needs(timed, stratified))
def strata(m: Method) -> Iterator[Figure]:
    """Two ranks with 16 sequences each: the number of 32 equal parts without exactly one time."""
    x = m.examples(*m.toy_distribution().batch(range(16)))
    order = torch.randperm(32, generator=generator(5))
    ranks = [x._replace(index=order[r * 16 : (r + 1) * 16], total=32) for r in range(2)]
    t = torch.cat([times(m, r, i) for i, r in enumerate(ranks)])
    apart = torch.cat([times(m, x, i) for i in range(2)])
    yield Figure(float((bins(t, 32) != 1).sum()), 0, float((bins(apart, 32) != 1).sum()))
