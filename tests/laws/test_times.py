"""Times that are not uniform: what they do to the objective and to the bound."""

import pytest
import torch
from methods import MIXED, package


@torch.no_grad()
def nats(method, model, function: str, rows: int = 10_000):
    """The objective, or minus the bound, of many rows of one sequence, (B,)."""
    tokens = torch.randint(0, 8, (1, 5), generator=torch.Generator().manual_seed(0))
    tokens = tokens.repeat(rows, 1)
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, 0] = True
    x = method.Examples(tokens, ~torch.zeros_like(fixed), fixed)
    rng = torch.Generator().manual_seed(1)
    found = getattr(method, function)(model, x, method.Config.small(), rng)
    return sum(found.values()) if isinstance(found, dict) else -found


def apart(a, b) -> float:
    """The difference of two means, in standard errors."""
    error = (a.var() / len(a) + b.var() / len(b)).sqrt()
    return float((a.mean() - b.mean()).abs() / error)


@pytest.fixture(scope="module")
def uniform(tmp_path_factory):
    """A package with uniform times, and a model. Its objective has no weight, its bound has."""
    method = package(tmp_path_factory.mktemp("uniform"), loss="cross_entropy")
    torch.manual_seed(0)
    return method, method.Model(method.Config.small()).eval()


def test_importance_changes_the_variance_and_not_the_mean(uniform, tmp_path):
    """The control: terms that are not divided by the density."""
    plain, model = uniform
    noise = "{process: mask, time: importance}"
    method = package(tmp_path, noise=noise, loss="cross_entropy")
    for function in ("objective", "log_likelihood_bound"):
        found, right = (nats(m, model, function) for m in (method, plain))
        assert apart(found, right) < 4
    assert found.std() < 0.8 * right.std()
    objective = __import__(f"{method.__name__}.objective", fromlist=["density"])
    objective.density = lambda t, *_, **__: torch.ones_like(t)
    wrong = (nats(m, model, "objective") for m in (method, plain))
    assert apart(*wrong) > 12


def test_limits_change_the_objective_and_not_the_bound(uniform, tmp_path):
    plain, model = uniform
    noise = "{process: mask, time: {kind: clipped, least: 0.6, most: 1.0}}"
    method = package(tmp_path, noise=noise, loss="cross_entropy")
    same, other = (
        apart(*(nats(m, model, function) for m in (method, plain)))
        for function in ("log_likelihood_bound", "objective")
    )
    assert same < 4
    assert other > 12


@pytest.mark.parametrize("loss", ["interpolating_bound", "score_entropy"])
def test_the_rate_of_the_noise_is_finite_at_the_end_of_time(loss, tmp_path):
    """As alpha falls to 0 the nats do too; the control: at 1 - t = 1e-4 they are not 0 yet."""
    noise = "{process: mixture, schedule: {kind: stationary, share: 0.3}}"
    method = package(tmp_path, MIXED, noise=noise, loss=loss)
    torch.manual_seed(0)
    model = method.Model(method.Config.small()).double().eval()
    objective = __import__(f"{method.__name__}.objective", fromlist=["sample_time"])

    def at(t: float) -> float:
        objective.sample_time = lambda x, *_, **__: torch.full((len(x.tokens), 1), t).double()
        return float(nats(method, model, "objective", 50).abs().max())

    assert at(1.0) < 1e-6 < at(1 - 1e-4)
