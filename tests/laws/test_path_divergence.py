"""For any network the mean bound is the entropy of the data plus the divergence of the paths.

arXiv:2607.05381. The divergence of the reverse process of the data from that of a random model is
enumerated from probabilities of states alone; no loss is called.
"""

import pytest
import torch
from broken_packages import method
from methods import ROOT
from torch import Tensor

from components.loss.posterior_kl_law import joint, kernel, noise
from xlm_spec.laws import LONGEST, ToyDistribution, V
from xlm_spec.laws.bound_laws import bound, for_bound
from xlm_spec.laws.corruptions import time_grid
from xlm_spec.laws.expectations import enumerated_mean

pytestmark = pytest.mark.slow
NODES = 24  # of the quadrature over times
STATES = torch.cartesian_prod(*[torch.arange(V)] * LONGEST)  # (V^3, 3)
Model = tuple[float, list[float], Tensor]  # alpha, mass, predictions (V, V, V, 3, V)


def predicted(m, model, t: float, normalised: bool) -> Tensor:
    """x_0 at every state and position, (V, V, V, 3, V)."""
    tokens = torch.cat([torch.full((len(STATES), 1), m.vocab.bos), STATES], 1)
    time = torch.full((len(tokens), 1), t, dtype=torch.float64)
    f = model.token_logits(model(tokens, torch.ones_like(tokens) > 0, time))[:, 1:].double()
    return (f.softmax(-1) if normalised else f.exp()).view(V, V, V, LONGEST, V)


def marginal(w: ToyDistribution, schedule, t: float) -> Tensor:
    """P(x_t), (V, V, V)."""
    each = torch.tensor(kernel(schedule, 0.0, t), dtype=torch.float64)
    tokens = w.batch()[0][:, 1:].T
    return torch.einsum("k,ka,kb,kc->abc", w.p, *(each[x] for x in tokens))


def rate_divergence(w: ToyDistribution, schedule, t: float, x_0: Tensor) -> float:
    """E sum of P - R + R log(R / P) over all jumps from x_t, R of the data, P of the model."""
    h = 1e-4 * min(t, 1 - t)
    alpha, mass = noise(schedule, t)
    before, after = noise(schedule, t - h), noise(schedule, t + h)
    slope = (after[0] - before[0]) / (2 * h)
    rises = [(b - a) / (2 * h) for a, b in zip(before[1], after[1], strict=True)]
    arrive = torch.tensor([d - slope / alpha * b for d, b in zip(rises, mass, strict=True)])
    p_t = marginal(w, schedule, t)
    model = alpha * x_0 + torch.tensor(mass, dtype=torch.float64)
    total = 0.0
    for i in range(LONGEST):
        p = p_t.movedim(i, -1)  # (rest, now)
        right = p[:, :, None, :] / p[..., None]  # (rest, now, y)
        other = model[..., i, :].movedim(i, 2)  # (rest, now, y)
        now = torch.arange(V)
        wrong = other / other[:, :, now, now][..., None]
        jumps = wrong - right + torch.xlogy(right, right) - torch.xlogy(right, wrong)
        jumps[:, :, now, now] = 0
        each = p[..., None] * arrive.double()[:, None] * jumps
        total += float(each[p > 0].nan_to_num(0.0).sum())
    return total


def step_divergence(m, w: ToyDistribution, t: float, s: float, x_0: Tensor) -> float:
    """E KL(P(x_s | x_t) || the product of the model's p(x_s,i | x_t))."""
    schedule = m.schedule
    p = joint(w, schedule, 0, s, t)
    p_t = p.sum((0, 1, 2))
    to_t = torch.tensor(kernel(schedule, s, t), dtype=torch.float64)
    alpha, mass = noise(schedule, s)
    prior = alpha * x_0 + torch.tensor(mass, dtype=torch.float64)  # (x, y, z, 3, V)
    total = float(torch.xlogy(p, p).sum() - torch.xlogy(p_t, p_t).sum())
    for i in range(LONGEST):
        q = prior[..., i, :] * to_t.T[STATES[:, i]].view(V, V, V, V)
        q = q / q.sum(-1, keepdim=True).clamp(min=1e-300)
        pair = p.sum([j for j in range(LONGEST) if j != i])  # (V, x, y, z)
        total -= float(torch.xlogy(pair, q.movedim(-1, 0).clamp(min=1e-300)).sum())
    return total


@pytest.mark.parametrize("spec", ["gidd", "xdlm", "sedd_absorb"])
def test_in_continuous_time(spec):
    m = for_bound(method(ROOT / "generated" / spec))
    w, model = m.toy_distribution(), m.random_model(timed=False)
    value = enumerated_mean(m, bound(m), model, w, nodes=NODES)
    divergence = sum(
        weight * rate_divergence(w, m.schedule, t, predicted(m, model, t, "sedd" not in spec))
        for t, weight in time_grid(m, NODES)
    )
    assert abs(value - w.entropy - divergence) < 1e-4 * value
    assert divergence > 0.1


@pytest.mark.parametrize("spec", ["d3pm_absorb", "d3pm_uniform"])
def test_in_discrete_time(spec):
    m = for_bound(method(ROOT / "generated" / spec))
    w, model = m.toy_distribution(), m.random_model(timed=False)
    value = enumerated_mean(m, bound(m), model, w)
    steps = len(m.discrete_times)
    divergence = sum(
        step_divergence(m, w, k / steps, (k - 1) / steps, predicted(m, model, k / steps, True))
        for k in range(1, steps + 1)
    )
    assert abs(value - w.entropy - divergence) < 1e-6 * value
    assert divergence > 0.1
