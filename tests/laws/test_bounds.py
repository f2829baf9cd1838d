"""Bounds are correct for every shipped count, schedule and weight, by enumeration.

Sums over all sequences, all sets of corrupted tokens and all times, in float64, and training
samples against them (xlm_spec/laws). Mutants are in test_verify.py; every figure has a control.
"""

from itertools import product
from math import comb, lgamma

import pytest
import torch
from laws.sampled_laws import holds, method, results
from methods import INSERTED, MASKED, PLAIN
from scheduling import shares

from components.count import bernoulli, exact, uniform
from components.loss.insertion_bound import insertion_bound
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.types import Examples
from components.weight.elbo_clipped import elbo_clipped
from xlm_spec.compiler.components import values
from xlm_spec.laws.exact_model import exact_model
from xlm_spec.laws.expectations import enumerated_mean
from xlm_spec.laws.toy_distribution import BOS, ToyDistribution, quadrature

pytestmark = pytest.mark.slow

ALIGNED = "the objective has the same minimiser as the bound"
SUMS = [
    "the bound equals the entropy at its minimiser",
    "with a prompt the bound equals the conditional entropy",
    "the gradient of the bound is zero at its minimiser, and any other model is worse",
    "for any model the bound is the mean over orders",
    "training samples average to the enumerated value",
]
CORRUPTION = [
    "the probabilities of the corrupted sets sum to one",
    "sets of corrupted tokens follow their distribution",
]
COUNTS = [
    *(f"count: bernoulli, schedule: {s}" for s in values("schedule")),
    *(
        f"count: {{kind: exact, min_corrupted: {n}}}, schedule: {s}"
        for n, s in product((0, 1), values("schedule"))
    ),
    "count: {kind: uniform, min_corrupted: 0}",
    "count: {kind: uniform, min_corrupted: 1}",
]


NOISES = [
    *(("mask", c) for c in COUNTS),
    *(("drop", c) for c in COUNTS if "min_corrupted: 1" not in c),  # complete sequences must occur
]


@pytest.mark.parametrize("noise", shares(NOISES, 3), ids="-".join)
def test_every_noise_has_its_bound(noise, tmp_path):
    process, count = noise
    base = {"mask": MASKED, "drop": INSERTED}[process]
    m = method(tmp_path, base, noise=f"{{process: {process}, {count}}}")
    for law in (*CORRUPTION, *SUMS, ALIGNED):
        holds(m, law)


@pytest.mark.parametrize("weight", ["one", "{kind: elbo_clipped, largest: 1.5}"])
def test_an_objective_that_is_not_a_bound_has_a_separate_bound(weight, tmp_path):
    """Training uses the weight of the spec; the bound uses the weight of the ELBO."""
    m = method(tmp_path, loss=f"[cross_entropy: {{weight: {weight}}}]")
    for law in (*SUMS, ALIGNED):
        holds(m, law)
    w = m.toy_distribution()
    nats = enumerated_mean(
        m, lambda *a: m.module.objective(*a)["cross_entropy"], exact_model(m, w), w
    )
    assert abs(nats - w.entropy) > 0.1, "the control: the objective is not the bound"


def test_a_schedule_that_ends_above_zero_has_no_bound(tmp_path):
    noise = "{process: mask, schedule: {kind: linear, eps: 0.001}}"
    assert not hasattr(method(tmp_path, noise=noise).module, "log_likelihood_bound")


def test_next_token_is_exact(tmp_path):
    m = method(tmp_path, PLAIN)
    holds(m, "the likelihood of every sequence is exact")


def test_the_minimiser_of_the_unweighted_loss_differs_if_lengths_vary(tmp_path):
    """With sequences of equal length it is the same (test_samplers.py)."""
    m = method(tmp_path, INSERTED, loss="[gap_cross_entropy, stop_cross_entropy]")
    [result] = results(m, ALIGNED)
    assert result.status == "warned"
    assert result.figure.value > 0.01


def test_exact_counts_have_a_lower_variance(tmp_path):
    """The standard deviation of the bound of one sequence, with stratified times."""
    spread = {}
    for count in ("bernoulli", "exact"):
        m = method(tmp_path, noise=f"{{process: mask, count: {count}}}")
        x, model = (
            m.examples(*m.toy_distribution().batch([39] * 64)),
            exact_model(m, m.toy_distribution()),
        )
        means = [
            m.module.log_likelihood_bound(
                model, x, m.config, torch.Generator().manual_seed(i)
            ).mean()
            for i in range(200)
        ]
        spread[count] = float(torch.stack(means).std())
    assert spread["exact"] < 0.8 * spread["bernoulli"]


def test_a_clipped_weight_is_the_elbo_weight_up_to_its_limit():
    weight = torch.tensor([[0.5], [3.0], [400.0]])
    assert elbo_clipped(weight, largest=5.0).flatten().tolist() == [0.5, 3.0, 5.0]


# ---- counts in limiting cases --------------------------------------------------------------------


def row(n: int, rows: int = 1) -> Examples:
    """BOS and n free tokens."""
    tokens = torch.full((rows, 1 + n), BOS)
    valid = torch.ones_like(tokens, dtype=torch.bool)
    return Examples(tokens, valid, (torch.arange(1 + n) == 0).expand_as(valid))


@pytest.mark.parametrize(("t", "k"), [(1e-9, 1), (0.2, 1), (0.4, 2), (0.7, 3), (1.0, 3)])
def test_exact_corrupts_the_number_for_the_time(t, k):
    time = torch.full((200, 1), t)
    corrupted = exact.select_tokens(row(3, 200), time, LinearSchedule(), torch.Generator())
    assert (corrupted.sum(1) == k).all()
    assert len(corrupted.unique(dim=0)) == comb(3, k)


@pytest.mark.parametrize("min_corrupted", [0, 1])
def test_a_sequence_without_free_tokens_has_one_corrupted_set(min_corrupted):
    x, none = row(0), torch.zeros(1, 1, dtype=torch.bool)
    half = torch.full((1, 1), 0.5)
    likelihoods = [
        bernoulli.likelihood(x, none, half, LinearSchedule()),
        uniform.likelihood(x, none, min_corrupted=min_corrupted),
        exact.likelihood(x, none, CosineSchedule(), min_corrupted=min_corrupted),
    ]
    assert [float(p) for p in likelihoods] == [1.0, 1.0, 1.0]
    assert not exact.select_tokens(
        x, half, LinearSchedule(), torch.Generator(), min_corrupted=min_corrupted
    ).any()
    assert not uniform.select_tokens(x, torch.Generator(), min_corrupted=min_corrupted).any()


@pytest.mark.parametrize("rule", ["bernoulli", "bernoulli, cosine", "uniform", "exact"])
def test_with_its_weight_every_number_of_dropped_tokens_counts_once(rule):
    """The sum of probability times weight is 1 for every k, also for long sequences."""
    schedule = CosineSchedule() if "cosine" in rule else LinearSchedule()
    t, w = quadrature()
    for n in (0, 1, 3, 12):
        for k in range(n + 1):
            x, corrupted = row(n, len(t)), (torch.arange(1 + n) > n - k).expand(len(t), -1)
            if rule == "uniform":
                p = uniform.likelihood(x, corrupted)
                weight = uniform.count_weight(x)
            elif rule == "exact":
                p = exact.likelihood(x, corrupted, schedule, min_corrupted=0)
                weight = exact.count_weight(x, corrupted, schedule, min_corrupted=0)
            else:
                p = bernoulli.likelihood(x, corrupted, t[:, None], schedule)
                weight = bernoulli.count_weight(x, t[:, None], schedule)
            total = comb(n, k) * (w * (p * weight)[:, 0]).sum()
            assert abs(float(total) - 1) < 1e-6, (n, k)


# ---- equal tokens --------------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [(0, 1, 2), (0, 0, 1), (0, 0, 0)])
def test_all_orders_of_a_sequence_are_counted_with_equal_tokens(sequence, tmp_path):
    """The exact model of one sequence has likelihood one; its cross-entropy is ln n!."""
    m = method(tmp_path, INSERTED)
    w = ToyDistribution([sequence], torch.ones(1, dtype=torch.float64), "grow")
    model = exact_model(m, w)
    assert abs(enumerated_mean(m, m.module.log_likelihood_bound, model, w)) < 1e-9
    nats = enumerated_mean(m, lambda *a: m.module.objective(*a)["gap_cross_entropy"], model, w)
    assert abs(nats - lgamma(4)) < 1e-6


def test_control_equal_tokens_counted_once_are_detected(tmp_path, monkeypatch):
    """The divergence from the normalised counts is looser if a gap lacks a token twice."""
    m = method(tmp_path, INSERTED)

    def divergence(model, hidden, target, vocab):
        n = torch.bincount(target.row, minlength=len(hidden))[target.row].double()
        index = (target.row * hidden.shape[1] + target.col) * vocab.size + target.token
        _, which, count = index.unique(return_inverse=True, return_counts=True)
        more = torch.zeros(len(hidden)).double()
        more = more.index_add(0, target.row, count[which].double().log() / n)
        return insertion_bound(model, hidden, target, vocab) + more[:, None]

    [before] = results(m, SUMS[0])
    monkeypatch.setattr(m.part("objective"), "insertion_bound", divergence)
    [after] = results(m, SUMS[0])
    assert before.status == "held"
    assert after.status == "failed"
    assert after.figure.value > 0.05
