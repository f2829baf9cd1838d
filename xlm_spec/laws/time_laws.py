"""Laws of the times of training."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .calls import call
from .corruptions import density, quantile, rank
from .law import ALARM, Figure, law, needs, when
from .method import Method
from .samples import bins
from .toy_distribution import generator, surprise

timed = when(lambda m: m.defines("noise", "sample_time"), "the noise has no time")
BATCHES = 4000  # of 8 sequences


def times(m: Method, x, seed: int, function: str = "sample_time") -> Tensor:
    """The times of the sequences, by a function of the package: (B, 1), or one per position."""
    scope = m.scope(x=x, rng=generator(seed))
    return call(getattr(m.part("noise"), function), scope, m.config.noise.time)


def of_bound(m: Method) -> str:
    """The function that draws the times of the bound."""
    return "bound_time" if m.defines("noise", "bound_time") else "sample_time"


def first_times(m: Method, function: str) -> Tensor:
    """The time of the first sequence in each batch, at its last position, (BATCHES, 1)."""
    x = m.examples(*m.toy_distribution().batch(range(8)))
    return torch.stack([times(m, x, i, function)[0, -1:] for i in range(BATCHES)])


def other_density(m: Method) -> str:
    """Does the time state another density, and has the bound no times of its own?"""
    stated = m.defines("noise", "density") and not m.defines("noise", "bound_time")
    return "the times state another density" if stated else ""


@law("each time is uniformly distributed", needs(timed, other_density))
def uniform_times(m: Method) -> Iterator[Figure]:
    """The time of the first sequence in 4,000 batches of 8; at its last position.

    Of the bound, if it draws other times than the objective. Without a bound of log p(x), other
    times can be intended.
    """
    t = first_times(m, of_bound(m))
    parts = 20 if m.discrete_times is None else len(m.discrete_times)
    inside = 0.0 if m.discrete_times is None else 0.5 / parts  # a time is the end of its part
    uniform = torch.full((parts,), 1 / parts, dtype=torch.float64)
    right, wrong = (surprise(bins(a - inside, parts).double(), uniform) for a in (t, t**1.3))
    free = not hasattr(m.module, "log_likelihood_bound")
    yield Figure(right, ALARM, wrong, intended=free)


def unknown_density(m: Method) -> str:
    """Why the density of the times is not tested; "" if the component, or its law, states it."""
    if m.discrete_times is not None or not (rank(m) or m.defines("noise", "density")):
        return "the times state no density of their own"
    return ""


@law("times follow their density", needs(timed, unknown_density))
def follow_density(m: Method) -> Iterator[Figure]:
    """The time of the first sequence in 4,000 batches of 8, in 20 equal parts of (0, 1).

    Against the law file, or the density that the package states. The control: their roots.
    """
    ends = torch.linspace(0, 1, 21, dtype=torch.float64)
    p, t = shares(m, ends), first_times(m, "sample_time")[:, 0].double()
    counts, wrong = (
        torch.bucketize(a, ends[1:-1]).bincount(minlength=20).double() for a in (t, t**0.5)
    )
    yield Figure(surprise(counts, p), ALARM, surprise(wrong, p))


def shares(m: Method, ends: Tensor) -> Tensor:
    """The probability of a time between each of these ends and the next, by 20,000 midpoints."""
    middles = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    at, weight = (quantile(m, middles), 1.0) if rank(m) else (middles, density(m, middles))
    inside = torch.bucketize(at, ends[1:-1])
    mass = torch.zeros(len(ends) - 1, dtype=torch.float64)
    return mass.index_add(0, inside, weight * torch.ones_like(middles)) / 20_000


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
    yield Figure(outside_parts(m, t, 32), 0, outside_parts(m, apart, 32))


def outside_parts(m: Method, t: Tensor, parts: int) -> float:
    """The number of equally likely parts of time without exactly one of these times."""
    ends = torch.arange(1, parts, dtype=torch.float64) / parts
    inside = torch.bucketize(t.double().flatten(), quantile(m, ends))
    return float((inside.bincount(minlength=parts) != 1).sum())
