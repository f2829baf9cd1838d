"""The bound of insertion models is one: equal to the entropy of the data at the exact minimiser.

Enumerated, every text under every set of dropped tokens, to float64's last digits; of packages
estimated, with 5.5 standard errors (false alarms 4e-8). Each law has a control that must fail.
"""

from itertools import product
from math import comb, lgamma

import pytest
import torch
from laws.growing import (
    BOS,
    LONGEST,
    PAD,
    Growing,
    Missing,
    V,
    config_of,
    generator,
    growing,
    laid_out,
)
from laws.world import quadrature
from making import INSERTED, package

from components.count import bernoulli, exact, uniform
from components.loss.gap_cross_entropy import gap_cross_entropy
from components.loss.insertion_bound import insertion_bound
from components.loss.stop_cross_entropy import stop_cross_entropy
from components.process.drop import corrupt
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.target.gap_tokens import gap_tokens
from components.target.stop import stop
from components.types import Examples, Vocab

W = growing()
VOCAB = Vocab(size=V, pad=PAD, bos=BOS)
ROWS = 40_000


def nats_of(model, world: Growing, change=lambda target: target, term=insertion_bound):
    """(text, number dropped, chance of the set given the number, nats of the gap, of stopping)."""
    out = []
    for k, x in enumerate(world.texts):
        sets = list(product([False, True], repeat=len(x)))
        chosen = torch.tensor([[False, *s, *[False] * (LONGEST - len(x))] for s in sets])
        rows = world.examples([k] * len(sets), Examples)
        z = corrupt(rows, chosen)
        hidden = model(z.tokens, z.valid)
        gap = term(model, hidden, change(gap_tokens(rows, z.dropped, z.gap, z.open)), VOCAB)
        done = stop_cross_entropy(model, hidden, stop(z.dropped))
        n = chosen.sum(1)
        chance = torch.tensor([1 / comb(len(x), int(i)) for i in n], dtype=torch.float64)
        out.append((world.p[k], n, chance, gap[:, 0], done[:, 0]))
    return out


def bound(model, world: Growing = W, **how) -> float:
    """Each number of dropped tokens counts once."""
    return sum(float(p * (c * (g + s)).sum()) for p, _, c, g, s in nats_of(model, world, **how))


def test_the_bound_is_the_entropy_at_the_exact_minimiser():
    assert abs(bound(Missing(W)) - W.entropy) < 1e-9


def test_any_other_network_scores_worse():
    assert bound(Missing(W, blur=0.1)) > W.entropy + 0.01


def test_the_derivative_vanishes_at_the_minimiser():
    small, large = (bound(Missing(W, blur=b)) - W.entropy for b in (1e-4, 1e-2))
    assert 0 < small < large / 50


def test_the_minimiser_of_the_unweighted_loss_is_another_where_lengths_vary():
    assert bound(Missing(W, levels=False)) > W.entropy + 0.01


def test_with_one_length_it_is_the_same():
    one = growing(shortest=LONGEST)
    assert abs(bound(Missing(one, levels=False), one) - one.entropy) < 1e-9


@pytest.mark.parametrize("text", [(0, 1, 2), (0, 0, 1), (0, 0, 0)])
def test_all_orders_of_a_text_are_counted_also_of_equal_tokens(text):
    """A network that knows the text gives it probability one; cross-entropy leaves ln n! there."""
    world = Growing([text], torch.ones(1, dtype=torch.float64))
    assert abs(bound(Missing(world), world)) < 1e-9
    assert abs(bound(Missing(world), world, term=gap_cross_entropy) - lgamma(4)) < 1e-9


def test_control_equal_tokens_taken_for_one_are_caught():
    """The divergence from the normalised counts is looser where a gap lacks a token twice."""

    def divergence(model, hidden, target, vocab):
        n = torch.bincount(target.row, minlength=len(hidden))[target.row].double()
        place = (target.row * hidden.shape[1] + target.col) * V + target.token
        _, which, count = place.unique(return_inverse=True, return_counts=True)
        more = torch.zeros(len(hidden)).double()
        more = more.index_add(0, target.row, count[which].double().log() / n)
        return insertion_bound(model, hidden, target, vocab) + more[:, None]

    assert bound(Missing(W), term=divergence) > W.entropy + 0.1


def test_control_a_gap_shifted_by_one_is_caught():
    def shifted(target):
        return target._replace(col=(target.col - 1).clamp(min=0))

    assert bound(Missing(W), change=shifted) > W.entropy + 0.5


def test_control_a_loss_without_stopping_is_below_the_entropy():
    assert sum(float(p * (c * g).sum()) for p, _, c, g, _ in nats_of(Missing(W), W)) < W.entropy


@pytest.mark.parametrize("rule", ["bernoulli", "bernoulli, cosine", "uniform", "exact"])
def test_with_its_weight_every_number_of_dropped_tokens_counts_once(rule):
    """sum over the law of the count of its weight, (n, k): 1 for every k."""
    schedule = CosineSchedule() if "cosine" in rule else LinearSchedule()
    t, w = quadrature(4_000 if rule == "exact" else 64)
    for n in range(LONGEST + 1):
        x = laid_out(torch.full((len(t), 1 + LONGEST), BOS), torch.full((len(t),), 1 + n), Examples)
        for k in range(n + 1):
            chosen = torch.zeros_like(x.valid)
            chosen[:, 1 : 1 + k] = True
            gone = 1 - schedule.alpha(t)
            if rule == "uniform":
                total = uniform.level_weight(x)[0, 0] / (n + 1)
            elif rule == "exact":
                weight = exact.level_weight(x, chosen, schedule, least=0)[:, 0]
                total = (w * weight * ((gone * (n + 1)).floor() == k)).sum()
            else:
                chance = comb(n, k) * gone**k * (1 - gone) ** (n - k)
                weight = bernoulli.level_weight(x, t[:, None], schedule)[:, 0]
                total = (w * chance * weight).sum()
            assert abs(float(total) - 1) < (2e-3 if rule == "exact" else 1e-6), (n, k)


@pytest.mark.parametrize(
    "noise",
    [
        "{process: drop, count: uniform}",
        "{process: drop, count: bernoulli, schedule: cosine}",
        "{process: drop, count: {kind: exact, least: 0}}",
    ],
)
def test_a_package_estimates_the_entropy(noise, tmp_path):
    """5.5 standard errors: a false-alarm rate of 4e-8."""
    method = package(tmp_path, INSERTED, noise=noise)
    x = W.draw(ROWS, method.Examples)
    nats = -method.log_likelihood_bound(Missing(W), x, config_of(method), generator(3))
    error = float(nats.std()) / ROWS**0.5
    assert abs(float(nats.mean()) - W.entropy) < 5.5 * error
    assert error < 0.05


def test_control_without_the_weight_the_sum_is_not_the_entropy(tmp_path):
    loss = "[insertion_bound, stop_cross_entropy]"
    method = package(tmp_path, INSERTED, loss=loss)
    x = W.draw(ROWS, method.Examples)
    terms = method.objective(Missing(W), x, config_of(method), generator(3))
    nats = torch.stack(list(terms.values())).sum(0)
    assert float(nats.mean()) < W.entropy - 5.5 * float(nats.std()) / ROWS**0.5
