"""A custom loss that is a bound by itself equals the entropy at its minimiser."""

import itertools

import pytest
import torch
from custom_weights import copy_of_weights, source, trained
from methods import REPLACED, package
from shipped_components import shipped

from xlm_spec.laws.toy_distribution import quadrature


@pytest.fixture
def folder(tmp_path):
    """A folder with custom weights and losses."""
    return copy_of_weights(tmp_path)


def uniform(folder, old: str = "", new: str = ""):
    """Uniform noise and its bound as custom files; in the bound some text is another."""
    noise = shipped("process", "uniform", "uniform_noise")
    bound = shipped("loss", "interpolating_bound", "uniform_bound")
    assert old in bound
    (folder / "uniform_noise.py").write_text(noise)
    (folder / "uniform_bound.py").write_text(bound.replace(old, new, 1))
    noise, loss = "{process: ./uniform_noise.py}", "./uniform_bound.py"
    return package(folder, REPLACED, noise=noise, loss=loss)


WORDS, TOKENS = 3, 2  # of the enumerated distribution


class LeaveOneOut:
    """The minimiser of the bound of uniform noise: p(x_i | all of x_t but position i)."""

    def __init__(self, p: torch.Tensor, blur: float):
        self.p, self.blur = p, blur

    def __call__(self, tokens, valid, t):
        alpha = 1 - t[:, 0, None, None]  # the linear schedule
        q = alpha * torch.eye(WORDS, dtype=torch.float64) + (1 - alpha) / WORDS  # (B, x, z)
        seen = [q[torch.arange(len(tokens)), :, tokens[:, i]] for i in (1, 2)]  # (B, x)
        first, second = seen[1] @ self.p.T, seen[0] @ self.p
        hidden = torch.full((len(tokens), 3, WORDS + 2), -torch.inf, dtype=torch.float64)
        for i, found in ((1, first), (2, second)):
            hidden[:, i, :WORDS] = (found / found.sum(-1, keepdim=True)).log()
        hidden[:, 1, 0] += self.blur
        return hidden

    def token_logits(self, hidden):
        return hidden


def excess(made, monkeypatch, blur: float) -> float:
    """Minus the bound, over all sequences of two tokens, noise and times; minus the entropy."""
    part = __import__(f"{made.__name__}.objective", fromlist=["objective"])
    corrupt = part.corrupt
    p = torch.tensor([[0.3, 0.1, 0.05], [0.02, 0.2, 0.08], [0.1, 0.05, 0.1]], dtype=torch.float64)
    config = made.Config(vocab=made.Vocab(size=WORDS + 2, pad=WORDS, bos=WORDS + 1))
    pairs = [*itertools.product(range(WORDS), repeat=TOKENS)]
    both = [(x, z) for x in pairs for z in pairs]
    x, z = (torch.tensor([[WORDS + 1, *pair[k]] for pair in both]) for k in (0, 1))
    fixed = torch.zeros_like(x, dtype=torch.bool)
    fixed[:, 0] = True
    total = 0.0
    for t, weight in zip(*(a.tolist() for a in quadrature(64)), strict=True):
        time = torch.full((len(x), 1), t, dtype=torch.float64)
        monkeypatch.setattr(part, "sample_time", lambda *_, at=time, **__: at)
        monkeypatch.setattr(part, "corrupt", lambda *a: corrupt(*a)._replace(tokens=z))
        rows = made.Examples(x, torch.ones_like(fixed), fixed)
        found = made.log_likelihood_bound(LeaveOneOut(p, blur), rows, config, torch.Generator())
        q = (1 - t) * torch.eye(WORDS, dtype=torch.float64) + t / WORDS
        chance = p[x[:, 1], x[:, 2]] * q[x[:, 1], z[:, 1]] * q[x[:, 2], z[:, 2]]
        total -= weight * float((chance * found.double()).sum())
    return total + float(torch.xlogy(p, p).sum())


def test_the_bound_of_a_custom_loss_is_the_entropy_at_its_minimiser(folder, monkeypatch):
    """A loss that is a term by itself. The controls: other models, and a wrong rate."""
    made = uniform(folder)
    trained(made)
    assert "weight" not in source(made)
    assert abs(excess(made, monkeypatch, 0.0)) < 1e-4
    assert excess(made, monkeypatch, 0.3) > 3e-3
    wrong = uniform(folder, "rate(alpha, dalpha", "rate(alpha, 0.8 * dalpha")
    assert abs(excess(wrong, monkeypatch, 0.0)) > 0.05
