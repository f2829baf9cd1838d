"""The mean of a function of the package over sequences, times and corruptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .corruptions import corruptions
from .pinning import pinned

if TYPE_CHECKING:
    from .method import Method
    from .toy_distribution import ToyDistribution

ROWS = 20_000


def enumerated_mean(
    m: Method, function, model, w: ToyDistribution, prompt: int = 0, nodes: int = 64
) -> float:
    """E over sequences, times and sets of `function(model, x, config, rng)`: enumerated.

    `nodes` is the number of times of the quadrature.
    """
    rng = torch.Generator().manual_seed(0)
    if not m.corrupts:
        x = m.examples(*w.batch(), prompt)
        return float((w.p * function(model, x, m.config, rng)).sum())
    total = 0.0
    for t, x, corrupted, p in corruptions(m, w, prompt, nodes):
        with pinned(m, corrupted, t):
            value = function(model, x, m.config, rng)
        total += float(p[p > 0] @ value.double()[p > 0])  # near t = 0 the others can be infinite
    return total


def sampled_mean(
    m: Method, function, model, w: ToyDistribution, prompt: int = 0
) -> tuple[float, float]:
    """The same mean from 20,000 training samples, and its standard error."""
    rng = torch.Generator().manual_seed(1)
    which = torch.multinomial(w.p, ROWS, True, generator=rng)
    x = m.examples(*w.batch(which), prompt)
    value = function(model, x, m.config, rng).double()
    return float(value.mean()), float(value.std()) / ROWS**0.5
