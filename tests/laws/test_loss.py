"""Cross-entropy with its weight is the bound it is named after: enumerated in float64, no sampling.

The bound integrates over t and sums over every text and every pattern of masks; at the exact
posterior it equals the entropy of the data, for any schedule.
"""

from itertools import product

import pytest
import torch
from laws.world import (
    BOS,
    EOS,
    LENGTH,
    MASK,
    PAD,
    Conditional,
    Posterior,
    V,
    generator,
    quadrature,
    world,
)
from making import MASKED, PLAIN, package

from components.count import bernoulli
from components.loss.cross_entropy import cross_entropy
from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule
from components.target.masked_tokens import masked_tokens
from components.target.next_token import next_token
from components.types import Examples

W = world()


def bound(model, schedule, rate=bernoulli.return_rate) -> float:
    """E_t E_x E_{x_t} rate(t) * cross-entropy, summed over sites; exact but for the quadrature."""
    total = 0.0
    hide = torch.tensor([(False, *m) for m in product([False, True], repeat=LENGTH)])
    nats = torch.stack([nats_of(model, m) for m in hide])  # (masks, K)
    count = hide.sum(1).double()
    for t, weight in zip(*quadrature(), strict=True):
        t = t[None, None]
        gone = 1 - schedule.alpha(t)[0, 0]
        chance = gone**count * (1 - gone) ** (LENGTH - count)
        total += float(weight * rate(t, schedule)[0, 0] * (chance[:, None] * nats * W.p).sum())
    return total


def nats_of(model, hidden_sites) -> torch.Tensor:
    """Cross-entropy of every text under one pattern of masks, (K,)."""
    masked = hidden_sites.expand(len(W.x), -1)
    z = W.x.masked_fill(masked, MASK)
    target = masked_tokens(W.x, masked)
    return cross_entropy(model, model(z, z >= 0), target).sum(1)


@pytest.mark.parametrize("schedule", [LinearSchedule(), CosineSchedule()])
def test_the_bound_is_the_entropy_at_the_exact_posterior(schedule):
    assert abs(bound(Posterior(W), schedule) - W.entropy) < 1e-9


def test_control_a_weight_off_by_a_tenth_is_caught():
    value = bound(Posterior(W), LinearSchedule(), lambda t, s: 1.1 * bernoulli.return_rate(t, s))
    assert abs(value - W.entropy) > 0.05


def test_control_the_rate_of_another_schedule_is_caught():
    value = bound(
        Posterior(W),
        CosineSchedule(),
        lambda t, s: bernoulli.return_rate(t, LinearSchedule()),
    )
    assert abs(value - W.entropy) > 0.05


def test_any_other_network_scores_worse():
    assert bound(Posterior(W, blur=0.1), LinearSchedule()) > W.entropy + 0.01


def test_the_derivative_vanishes_at_the_posterior():
    """A small step away from the minimum raises the bound by its square only."""
    small = bound(Posterior(W, blur=1e-4), LinearSchedule()) - W.entropy
    large = bound(Posterior(W, blur=1e-2), LinearSchedule()) - W.entropy
    assert 0 < small < large / 50


def estimate(method, model, rows: int = 200_000, given: int = 1) -> tuple[float, float]:
    """Mean of a package's own objective, and its standard error."""
    x = W.draw(rows, method.Examples, given=given)
    config = config_of(method)
    terms = method.objective(model, x, config, generator(3))
    nats = torch.stack(list(terms.values())).sum(0)
    return float(nats.mean()), float(nats.std() / rows**0.5)


def config_of(method):
    return method.Config(vocab=method.Vocab(size=V, pad=PAD, bos=BOS, eos=EOS, mask=MASK))


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_package_estimates_the_entropy(schedule, tmp_path):
    """5.5 standard errors: a false-alarm rate of 4e-8."""
    method = package(tmp_path, MASKED, noise=f"{{process: mask, schedule: {schedule}}}")
    mean, error = estimate(method, Posterior(W))
    assert abs(mean - W.entropy) < 5.5 * error
    assert error < 0.02


def test_control_the_estimate_tells_a_blurred_network_from_the_exact_one(tmp_path):
    mean, error = estimate(package(tmp_path), Posterior(W, blur=0.2))
    assert mean > W.entropy + 5.5 * error


def test_given_tokens_are_not_counted(tmp_path):
    """With one token given the bound is the entropy of the rest given it."""
    first = torch.stack([W.p[W.x[:, 1] == v].sum() for v in range(3)])
    rest = W.entropy + float(torch.xlogy(first, first).sum())
    mean, error = estimate(package(tmp_path), Posterior(W), given=2)
    assert abs(mean - rest) < 5.5 * error


def test_next_token_is_exact(tmp_path):
    """-log p(x) of every text, to float64's last digits."""
    method = package(tmp_path, PLAIN)
    x = W.examples(W.x, method.Examples)
    nats = -method.log_likelihood_bound(Conditional(W), x, config_of(method), generator())
    assert torch.allclose(nats, -W.p.log(), atol=1e-9)


def test_control_a_target_off_by_one_site_is_caught():
    x = W.examples(W.x, Examples)
    target = next_token(x)
    shifted = target._replace(col=(target.col - 1).clamp(min=0))
    model = Conditional(W)
    hidden = model(x.tokens, x.valid)
    right = cross_entropy(model, hidden, target).sum(1)
    wrong = cross_entropy(model, hidden, shifted).sum(1)
    assert torch.allclose(right, -W.p.log(), atol=1e-9)
    assert not torch.allclose(wrong, -W.p.log(), atol=0.1)
