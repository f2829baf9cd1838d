"""DILM in the Poisson mode against ILM with each number of missing tokens counted once.

On components, over all sets of dropped tokens and by quadrature over time.
"""

from itertools import combinations
from types import SimpleNamespace

import pytest
import torch

from components.count import uniform
from components.loss.gap_cross_entropy import gap_cross_entropy
from components.loss.joint_cross_entropy import joint_cross_entropy
from components.ops import slowing
from components.process import drop, poisson_drop
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.target.gap_tokens import gap_tokens
from components.target.poisson_count import poisson_count
from components.types import Examples, Vocab
from xlm_spec.laws.toy_distribution import quadrature

VOCAB = Vocab(size=4, bos=3)
HEADS = SimpleNamespace(gap_token_logits=lambda hidden: hidden)


def every_set(n: int) -> tuple[Examples, torch.Tensor]:
    """BOS and n different tokens, with every set of them."""
    sets = [s for k in range(n + 1) for s in combinations(range(1, n + 1), k)]
    dropped = torch.zeros(len(sets), n + 1, dtype=torch.bool)
    for row, s in enumerate(sets):
        dropped[row, list(s)] = True
    tokens = torch.tensor([[3, *range(n)]]).expand(len(sets), -1)
    fixed = (torch.arange(n + 1) == 0).expand(len(sets), -1)
    return Examples(tokens, torch.ones_like(dropped), fixed), dropped


def nats(loss, x: Examples, dropped: torch.Tensor) -> torch.Tensor:
    """The loss with each set, of a model without time, (sets,)."""
    z = drop.corrupt(x, dropped)
    seen = [tuple(t[v].tolist()) for t, v in zip(z.tokens, z.valid, strict=True)]
    rng = torch.Generator().manual_seed(0)
    logits = {s: torch.randn(x.tokens.shape[1], 4, generator=rng).double() for s in sorted({*seen})}
    hidden = torch.stack([logits[s] for s in seen])
    target = gap_tokens(x, dropped, z.gap, z.open)
    return loss(HEADS, hidden, target, VOCAB)[:, 0]


def poisson(x: Examples, dropped: torch.Tensor, schedule, scale: float, late: float = 1.0):
    """The objective of DILM, with `late` times the rate of the first insertion."""
    z, total = poisson_drop.noised(x, dropped), torch.zeros(())
    for t, weight in zip(*(a.tolist() for a in quadrature(64)), strict=True):
        at = torch.full((len(dropped), 1), t, dtype=torch.float64)
        p = poisson_drop.likelihood(z, x, at, schedule, mean_drops=scale)
        rate = poisson_drop.insertion_rate(x, dropped, at, schedule, mean_drops=scale)[:, 0]
        rate = torch.where(dropped.sum(1) == x.tokens.shape[1] - 1, late * rate, rate)
        total = total + weight * (p * rate * nats(joint_cross_entropy, x, dropped)).sum()
    return float(total)


@pytest.mark.parametrize("schedule", [LinearSchedule(), CosineSchedule()], ids=["linear", "cosine"])
@pytest.mark.parametrize("scale", [0.7, 5.0])
def test_the_insertions_of_dilm_are_those_of_ilm_per_count(schedule, scale):
    """For any model without time. The control: a first insertion that is 1% faster."""
    x, dropped = every_set(3)
    rows = uniform.likelihood(x, dropped) * uniform.count_weight(x)
    ilm = float((rows[:, 0] * nats(gap_cross_entropy, x, dropped)).sum())
    assert abs(poisson(x, dropped, schedule, scale) / ilm - 1) < 1e-6
    assert abs(poisson(x, dropped, schedule, scale, late=1.01) / ilm - 1) > 1e-3


def test_the_first_insertion_is_later_by_the_published_factor():
    """Its series, for long sequences; it is finite at every time, and so are the counts."""
    for n, scale in ((1, 3.0), (7, 8.0), (40, 8.0), (200, 100.0)):
        free = torch.arange(n + 1)[None] > 0
        x = Examples(free.long(), torch.ones_like(free), ~free)
        for alpha in (0.2, 0.5, 0.9):
            t = torch.tensor([[1 - alpha]], dtype=torch.float64)
            mean, term, series = scale * (1 - alpha) / alpha, 1.0, 0.0
            for j in range(2000):
                series += term
                term *= mean / (n + j + 1)
            found = float(slowing(x, free, t, LinearSchedule(), scale))
            assert abs(found / min(series, 2.7**69) - 1) < 1e-6 or series > 1e29
        for t in (1e-5, 0.5, 1 - 1e-5, 1.0):
            at = torch.tensor([[t]])
            rate = poisson_drop.insertion_rate(x, free, at, LinearSchedule(), mean_drops=scale)
            count = poisson_count(x, free, ~free, at, LinearSchedule(), scale)
            assert torch.isfinite(rate).all()
            assert torch.isfinite(count.count).all()
            assert torch.isfinite(count.share).all()


@pytest.mark.parametrize("n", [0, 3])
def test_its_sets_follow_their_probabilities(n):
    """20,000 draws of each number of dropped tokens, in five standard errors."""
    x, dropped = every_set(n)
    t, rows = torch.full((20_000, 1), 0.15), 20_000
    many = Examples(*(a[:1].expand(rows, -1) for a in x[:3]))
    rng = torch.Generator().manual_seed(0)
    z = poisson_drop.corrupt(many, t, LinearSchedule(), rng)
    drawn = torch.bincount(z.dropped.sum(1), minlength=n + 1) / rows
    at = torch.full((len(dropped), 1), 0.15, dtype=torch.float64)
    p = poisson_drop.likelihood(poisson_drop.noised(x, dropped), x, at, LinearSchedule())
    right = torch.zeros(n + 1).double().index_add(0, dropped.sum(1), p)
    assert torch.allclose(right.sum(), torch.ones(()).double())
    error = (right * (1 - right) / rows).sqrt().clamp(min=1e-6)
    assert float(((drawn - right).abs() / error).max()) < 5
