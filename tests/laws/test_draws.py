"""Draws at a large vocabulary: the cumulative sums are exact, and a nucleus may be any size."""

import pytest
import torch
from laws.sampled_laws import follows
from xlm_spec.laws.components.tokens import top_p_below_law, top_p_law

from components.ops import categorical, with_gumbel
from components.tokens.top_p import TopP
from components.tokens.top_p_below import TopPBelow
from xlm_spec.laws.toy_distribution import generator

WORDS = 50_257


def test_draws_of_a_large_vocabulary_follow_their_distribution():
    """In ten groups of tokens. The control: float32 sums of a part that is 2^-24 of the whole."""
    p = torch.randn(1, WORDS, generator=generator(1)).softmax(-1)
    token = torch.cat([categorical(p.expand(200, -1), generator(i)) for i in range(5)])
    group = torch.arange(WORDS) % 10
    seen = torch.bincount(group[token], minlength=10).double()
    follows(seen, torch.zeros(10).double().index_add(0, group, p[0].double()))
    tiny = torch.cat([torch.full((1, 1), 2.0**25), torch.rand(1, 999, generator=generator())], 1)
    assert tiny.cumsum(-1).diff().max() > 1  # float32: 1 is less than a step
    exact = tiny.cumsum(-1, dtype=torch.float64).diff()
    assert torch.allclose(exact, tiny[:, 1:].double())


@pytest.mark.parametrize(("u", "index"), [(0.0, 0), (0.25, 1), (0.5, 2), (1 - 2.0**-53, 4)])
def test_an_entry_of_zero_is_never_drawn(u, index, monkeypatch):
    """Also at the ends of the interval. The control: equal entries, where each is drawn."""
    p = torch.tensor([[0, 1, 0, 1, 0], [0, 0, 3, 0, 0], [0, 0.1, 0.1, 0.1, 0]])
    rand = lambda shape, **options: torch.full(shape, u, dtype=torch.float64)  # noqa: E731
    monkeypatch.setattr(torch, "rand", rand)
    token = categorical(p, generator())
    assert (p.gather(1, token[:, None]) > 0).all()
    assert int(categorical(torch.ones(1, 5), generator())) == index


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_no_probability_is_an_error(value):
    p = torch.ones(3, 4)
    p[1] = value
    with pytest.raises(ValueError, match="nothing to draw from"):
        categorical(p, generator())


@pytest.mark.parametrize(
    ("rule", "law"),
    [(TopP(0.9), top_p_law), (TopPBelow(0.9), top_p_below_law)],
    ids=["at least", "at most"],
)
@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_a_nucleus_of_more_or_fewer_than_1024_tokens(rule, law, scale):
    """It follows the law file in ten groups, and all drawn tokens are in it."""
    logits = scale * torch.randn(3000, generator=generator(1))
    p = law.distribution(rule, logits.double().softmax(-1))
    assert (int((p > 0).sum()) > 1024) == (scale < 1)
    token = torch.cat([rule(logits.expand(1000, -1), generator(i)) for i in range(4)])
    group = torch.arange(3000) % 10
    seen = torch.bincount(group[token], minlength=10).double()
    follows(seen, torch.zeros(10).double().index_add(0, group, p))
    assert float((p[token] > 0).double().mean()) > 0.999  # rounding at the edge


def test_gumbel_noise_is_finite_and_ranks_as_stated():
    """P(first of two) = p of a softmax; 10^6 draws are finite."""
    score = torch.tensor([0.7, 0.0]).repeat(500_000, 1)
    drawn = with_gumbel(score.flatten(), 2.0, generator()).view_as(score)
    assert drawn.isfinite().all()
    first = (drawn[:, 0] > drawn[:, 1]).double().sum()
    follows(torch.stack([first, 500_000 - first]), (score[0].double() / 2).softmax(-1))
