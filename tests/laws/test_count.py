"""Counts: how many tokens are hidden, and the rate that makes a bound of what is asked for them.

Patterns of hidden sites are enumerated; the bound sums over them in float64.
"""

from itertools import product
from math import comb

import pytest
import torch
from laws.test_loss import config_of, nats_of
from laws.world import BOS, EOS, LENGTH, MASK, PAD, Posterior, V, follows, generator, world
from making import MASKED, package

from components.count import bernoulli, exact, uniform
from components.schedule.cosine import CosineSchedule
from components.schedule.geometric import GeometricSchedule
from components.schedule.linear import LinearSchedule
from components.schedule.polynomial import PolynomialSchedule
from components.types import Examples, Vocab
from components.weight.elbo_clipped import elbo_clipped

W = world()
VOCAB = Vocab(size=V, pad=PAD, bos=BOS, eos=EOS, mask=MASK)
ROWS = 40_000
SCHEDULES = [LinearSchedule(), CosineSchedule(), GeometricSchedule(), PolynomialSchedule(3.0)]
PATTERNS = torch.tensor([(False, *m) for m in product([False, True], repeat=LENGTH)])
K = PATTERNS.sum(1)
SETS = torch.tensor([float(comb(LENGTH, int(k))) for k in K], dtype=torch.float64)


def patterns(choose) -> torch.Tensor:
    """How often each of the 8 patterns of hidden sites is chosen."""
    chosen = choose(W.draw(ROWS, Examples))
    hit = (chosen[:, None] == PATTERNS).all(-1)
    assert hit.any(1).all()
    return hit.sum(0).double()


def numbers(*chance: float) -> torch.Tensor:
    """The law of patterns in which k sites have a given probability, every set alike."""
    return torch.tensor(chance, dtype=torch.float64)[K] / SETS


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("t", [0.2, 0.5, 0.9])
def test_bernoulli_hides_sites_independently(schedule, t):
    gone = 1 - float(schedule.alpha(torch.tensor(t, dtype=torch.float64)))
    law = gone ** K.double() * (1 - gone) ** (LENGTH - K).double()
    time = torch.full((ROWS, 1), t)
    follows(patterns(lambda x: bernoulli.choose(x, time, schedule, generator())), law)


@pytest.mark.parametrize(("least", "law"), [(0, [0.25] * 4), (1, [0, 1 / 3, 1 / 3, 1 / 3])])
def test_uniform_hides_any_number(least, law):
    follows(patterns(lambda x: uniform.choose(x, generator(), least=least)), numbers(*law))


def test_control_another_law_of_counts_is_caught():
    with pytest.raises(AssertionError):
        follows(patterns(lambda x: uniform.choose(x, generator())), numbers(0.26, 0.24, 0.25, 0.25))


@pytest.mark.parametrize(("t", "k"), [(0.2, 1), (0.4, 2), (0.7, 3), (1e-9, 1), (1.0, 3)])
def test_exact_hides_as_many_as_the_time_says(t, k):
    law = numbers(*[float(k == i) for i in range(4)])
    time = torch.full((ROWS, 1), t)
    follows(patterns(lambda x: exact.choose(x, time, LinearSchedule(), generator())), law)


CHOICES = {
    "bernoulli": lambda x: bernoulli.choose(
        x, torch.full((len(x.tokens), 1), 0.7), LinearSchedule(), generator()
    ),
    "uniform": lambda x: uniform.choose(x, generator()),
    "exact": lambda x: exact.choose(
        x, torch.full((len(x.tokens), 1), 0.7), LinearSchedule(), generator()
    ),
}


@pytest.mark.parametrize("count", CHOICES)
def test_given_tokens_and_padding_are_never_hidden(count):
    x = W.draw(2000, Examples, given=2)
    x = x._replace(valid=x.valid.clone())
    x.valid[:, 3] = False
    x.valid[0] = x.fixed[0]  # a row without free sites
    chosen = CHOICES[count](x)
    assert not (chosen & ~(x.valid & ~x.fixed)).any()
    assert chosen[:, 2].any()


# ---- the rate that makes a bound -----------------------------------------------------------------


def nats() -> torch.Tensor:
    """Expected cross-entropy of the exact posterior for each pattern, (8,)."""
    model = Posterior(W)
    return torch.stack([(nats_of(model, m) * W.p).sum() for m in PATTERNS])


def rates(rate) -> torch.Tensor:
    """The rate of each pattern, (8,); one row for each."""
    x = W.examples(W.x[: len(PATTERNS)], Examples)
    return rate(x, PATTERNS).flatten().double()


@pytest.mark.parametrize("least", [0, 1])
def test_uniform_counts_give_the_entropy(least):
    chance = numbers(*[float(k >= least) / (LENGTH - least + 1) for k in range(4)])
    rate = rates(lambda x, c: uniform.return_rate(x, c, least=least))
    assert abs(float((chance * rate * nats()).sum()) - W.entropy) < 1e-6


def exact_bound(schedule, rate) -> float:
    """Times from a fine grid, the number hidden at each as `choose` says it."""
    t = (torch.arange(200_000, dtype=torch.float64)[:, None] + 0.5) / 200_000
    x = W.examples(W.x[:1].expand(len(t), -1), Examples)
    k = exact.choose(x, t, schedule, generator()).sum(1)
    chance = torch.bincount(k, minlength=LENGTH + 1).double() / len(t)
    return float((numbers(*chance.tolist()) * rates(rate) * nats()).sum())


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_exact_counts_give_the_entropy_for_any_schedule(schedule):
    value = exact_bound(schedule, lambda x, c: exact.return_rate(x, c, schedule))
    assert abs(value - W.entropy) < 1e-3 * W.entropy


def test_control_the_rate_of_another_schedule_is_caught():
    value = exact_bound(CosineSchedule(), lambda x, c: exact.return_rate(x, c, LinearSchedule()))
    assert abs(value - W.entropy) > 0.03 * W.entropy


def test_control_a_rate_that_forgets_the_empty_count_is_caught():
    chance = numbers(*[1 / (LENGTH + 1)] * 4)
    rate = rates(lambda x, c: uniform.return_rate(x, c, least=1))
    assert abs(float((chance * rate * nats()).sum()) - W.entropy) > 0.1


NOISES = {
    "exact": "{process: mask, count: exact}",
    "exact cosine": "{process: mask, schedule: cosine, count: exact}",
    "uniform": "{process: mask, count: uniform}",
    "uniform least 1": "{process: mask, count: {kind: uniform, least: 1}}",
    "geometric": "{process: mask, schedule: geometric}",
    "polynomial": "{process: mask, schedule: {kind: polynomial, power: 3}}",
}


def estimate(method, rows: int = 100_000) -> tuple[float, float]:
    """Mean of minus a package's bound, and its standard error; every value is finite."""
    x = W.draw(rows, method.Examples)
    found = -method.log_likelihood_bound(Posterior(W), x, config_of(method), generator(3))
    assert found.isfinite().all()
    return float(found.mean()), float(found.std() / rows**0.5)


@pytest.mark.parametrize("noise", NOISES)
def test_a_package_estimates_the_entropy(noise, tmp_path):
    """5.5 standard errors, with those of the texts drawn: a false-alarm rate of 4e-8."""
    mean, error = estimate(package(tmp_path, noise=NOISES[noise]))
    assert abs(mean - W.entropy) < 5.5 * error
    assert error < 0.03


def test_exact_counts_vary_less(tmp_path):
    """Standard deviation of one text's bound over draws, times spread over the batch."""
    spread = {}
    for count in ("bernoulli", "exact"):
        method = package(tmp_path, noise=f"{{process: mask, count: {count}}}")
        x = W.examples(W.x[:1].expand(64, -1), method.Examples)
        means = [
            method.log_likelihood_bound(Posterior(W), x, config_of(method), generator(i)).mean()
            for i in range(200)
        ]
        spread[count] = float(torch.stack(means).std())
    assert spread["exact"] < 0.8 * spread["bernoulli"]


# ---- weights -------------------------------------------------------------------------------------


def test_a_clipped_weight_is_the_rate_up_to_its_limit():
    rate = torch.tensor([[0.5], [3.0], [400.0]])
    assert elbo_clipped(rate, largest=5.0).flatten().tolist() == [0.5, 3.0, 5.0]


@pytest.mark.parametrize("weight", ["one", "{kind: elbo_clipped, largest: 1.5}"])
def test_an_objective_that_is_no_bound_has_a_bound_of_its_own(weight, tmp_path):
    """Training weighs as the spec says; the likelihood is weighed by the rate all the same."""
    method = package(tmp_path, MASKED, loss=f"[cross_entropy: {{weight: {weight}}}]")
    mean, error = estimate(method)
    assert abs(mean - W.entropy) < 5.5 * error
    x = W.draw(100_000, method.Examples)
    terms = method.objective(Posterior(W), x, config_of(method), generator(3))
    assert float(terms["cross_entropy"].mean()) < W.entropy - 20 * error  # the control


def test_a_schedule_that_ends_above_zero_has_no_bound(tmp_path):
    noise = "{process: mask, schedule: {kind: linear, eps: 0.001}}"
    assert not hasattr(package(tmp_path, noise=noise), "log_likelihood_bound")
