"""Bounds are what they are named: over every count, schedule and weight that ships, enumerated.

Sums over all texts, all sets of hidden tokens and all times, in float64, and what training draws
against them (templates/verify). Mutants are caught in test_verify.py; the controls here are
measured beside every figure.
"""

from itertools import product
from math import comb, lgamma

import pytest
import torch
from laws.holding import holds, method, results
from making import INSERTED, MASKED, PLAIN

from components.count import bernoulli, exact, uniform
from components.loss.insertion_bound import insertion_bound
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.types import Examples
from components.weight.elbo_clipped import elbo_clipped
from verify.world import BOS, World, quadrature
from xlm_spec.compiler.components import values

ALIGNED = "training finds what the bound asks for"
SUMS = [
    "the bound is the entropy at its minimiser",
    "with a prompt it is the entropy of the rest",
    "the derivative vanishes there, and any other network scores worse",
    "of any network the bound is the mean over orders",
    "what training draws averages to what is enumerated",
]
HIDING = [
    "the probabilities of what may be hidden sum to one",
    "sets of hidden tokens follow their law",
]
COUNTS = [
    *(f"count: bernoulli, schedule: {s}" for s in values("schedule")),
    *(
        f"count: {{kind: exact, least: {n}}}, schedule: {s}"
        for n, s in product((0, 1), values("schedule"))
    ),
    "count: {kind: uniform, least: 0}",
    "count: {kind: uniform, least: 1}",
]


NOISES = [
    *(("mask", c) for c in COUNTS),
    *(("drop", c) for c in COUNTS if "least: 1" not in c),  # texts that are whole must be seen
]


@pytest.mark.parametrize(("process", "count"), NOISES)
def test_every_noise_has_its_bound(process, count, tmp_path):
    base = {"mask": MASKED, "drop": INSERTED}[process]
    m = method(tmp_path, base, noise=f"{{process: {process}, {count}}}")
    for law in (*HIDING, *SUMS, ALIGNED):
        holds(m, law)


@pytest.mark.parametrize("weight", ["one", "{kind: elbo_clipped, largest: 1.5}"])
def test_an_objective_that_is_no_bound_has_a_bound_of_its_own(weight, tmp_path):
    """Training weighs as the spec says; the likelihood is weighed by the rate all the same."""
    m = method(tmp_path, loss=f"[cross_entropy: {{weight: {weight}}}]")
    for law in (*SUMS, ALIGNED):
        holds(m, law)
    w = m.world()
    nats = m.mean(lambda *a: m.module.objective(*a)["cross_entropy"], m.oracle(w), w)
    assert abs(nats - w.entropy) > 0.1, "the control: the objective is no bound"


def test_a_schedule_that_ends_above_zero_has_no_bound(tmp_path):
    noise = "{process: mask, schedule: {kind: linear, eps: 0.001}}"
    assert not hasattr(method(tmp_path, noise=noise).module, "log_likelihood_bound")


def test_next_token_is_exact(tmp_path):
    m = method(tmp_path, PLAIN)
    holds(m, "the likelihood of every text is exact")


def test_the_minimiser_of_the_unweighted_loss_is_another_where_lengths_vary(tmp_path):
    """families.md F4; where all texts are as long, it is the same (test_samplers.py)."""
    m = method(tmp_path, INSERTED, loss="[gap_cross_entropy, stop_cross_entropy]")
    [found] = results(m, ALIGNED)
    assert found.status == "warned"
    assert found.figure.value > 0.01


def test_exact_counts_vary_less(tmp_path):
    """Standard deviation of one text's bound over draws, times spread over the batch."""
    spread = {}
    for count in ("bernoulli", "exact"):
        m = method(tmp_path, noise=f"{{process: mask, count: {count}}}")
        x, model = m.examples(*m.world().rows([39] * 64)), m.oracle(m.world())
        means = [
            m.module.log_likelihood_bound(
                model, x, m.config, torch.Generator().manual_seed(i)
            ).mean()
            for i in range(200)
        ]
        spread[count] = float(torch.stack(means).std())
    assert spread["exact"] < 0.8 * spread["bernoulli"]


def test_a_clipped_weight_is_the_rate_up_to_its_limit():
    rate = torch.tensor([[0.5], [3.0], [400.0]])
    assert elbo_clipped(rate, largest=5.0).flatten().tolist() == [0.5, 3.0, 5.0]


# ---- counts at their ends ------------------------------------------------------------------------


def row(n: int, rows: int = 1) -> Examples:
    """BOS and n free tokens."""
    tokens = torch.full((rows, 1 + n), BOS)
    valid = torch.ones_like(tokens, dtype=torch.bool)
    return Examples(tokens, valid, (torch.arange(1 + n) == 0).expand_as(valid))


@pytest.mark.parametrize(("t", "k"), [(1e-9, 1), (0.2, 1), (0.4, 2), (0.7, 3), (1.0, 3)])
def test_exact_hides_as_many_as_the_time_says(t, k):
    time = torch.full((200, 1), t)
    chosen = exact.choose(row(3, 200), time, LinearSchedule(), torch.Generator())
    assert (chosen.sum(1) == k).all()
    assert len(chosen.unique(dim=0)) == comb(3, k)


@pytest.mark.parametrize("least", [0, 1])
def test_a_text_without_free_tokens_is_hidden_in_one_way(least):
    x, none = row(0), torch.zeros(1, 1, dtype=torch.bool)
    half = torch.full((1, 1), 0.5)
    told = [
        bernoulli.likelihood(x, none, half, LinearSchedule()),
        uniform.likelihood(x, none, least=least),
        exact.likelihood(x, none, CosineSchedule(), least=least),
    ]
    assert [float(p) for p in told] == [1.0, 1.0, 1.0]
    assert not exact.choose(x, half, LinearSchedule(), torch.Generator(), least=least).any()
    assert not uniform.choose(x, torch.Generator(), least=least).any()


@pytest.mark.parametrize("rule", ["bernoulli", "bernoulli, cosine", "uniform", "exact"])
def test_with_its_weight_every_number_of_dropped_tokens_counts_once(rule):
    """sum over the law of the count of its weight, (n, k): 1 for every k, also of long texts."""
    schedule = CosineSchedule() if "cosine" in rule else LinearSchedule()
    t, w = quadrature()
    for n in (0, 1, 3, 12):
        for k in range(n + 1):
            x, chosen = row(n, len(t)), (torch.arange(1 + n) > n - k).expand(len(t), -1)
            if rule == "uniform":
                chance = uniform.likelihood(x, chosen)
                weight = uniform.level_weight(x)
            elif rule == "exact":
                chance = exact.likelihood(x, chosen, schedule, least=0)
                weight = exact.level_weight(x, chosen, schedule, least=0)
            else:
                chance = bernoulli.likelihood(x, chosen, t[:, None], schedule)
                weight = bernoulli.level_weight(x, t[:, None], schedule)
            total = comb(n, k) * (w * (chance * weight)[:, 0]).sum()
            assert abs(float(total) - 1) < 1e-6, (n, k)


# ---- equal tokens --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [(0, 1, 2), (0, 0, 1), (0, 0, 0)])
def test_all_orders_of_a_text_are_counted_also_of_equal_tokens(text, tmp_path):
    """A network that knows the text gives it probability one; cross-entropy leaves ln n! there."""
    m = method(tmp_path, INSERTED)
    w = World([text], torch.ones(1, dtype=torch.float64), "grow")
    model = m.oracle(w)
    assert abs(m.mean(m.module.log_likelihood_bound, model, w)) < 1e-9
    nats = m.mean(lambda *a: m.module.objective(*a)["gap_cross_entropy"], model, w)
    assert abs(nats - lgamma(4)) < 1e-6


def test_control_equal_tokens_taken_for_one_are_caught(tmp_path, monkeypatch):
    """The divergence from the normalised counts is looser where a gap lacks a token twice."""
    m = method(tmp_path, INSERTED)

    def divergence(model, hidden, target, vocab):
        n = torch.bincount(target.row, minlength=len(hidden))[target.row].double()
        place = (target.row * hidden.shape[1] + target.col) * vocab.size + target.token
        _, which, count = place.unique(return_inverse=True, return_counts=True)
        more = torch.zeros(len(hidden)).double()
        more = more.index_add(0, target.row, count[which].double().log() / n)
        return insertion_bound(model, hidden, target, vocab) + more[:, None]

    [before] = results(m, SUMS[0])
    monkeypatch.setattr(m.part("objective"), "insertion_bound", divergence)
    [after] = results(m, SUMS[0])
    assert before.status == "held"
    assert after.status == "failed"
    assert after.figure.value > 0.05
