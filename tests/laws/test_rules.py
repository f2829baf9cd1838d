"""Rules: tokens are drawn from the law they name; the surest sites go first."""

import math

import pytest
import torch
from laws.holding import ALARM, follows

from components.sites.confidence import Confidence
from components.sites.entropy import Entropy
from components.sites.left_to_right import LeftToRight
from components.sites.margin import Margin
from components.sites.random import Random
from components.tokens.min_p import MinP
from components.tokens.temperature import Temperature
from components.tokens.top_k import TopK
from components.tokens.top_p import TopP
from verify.world import generator, p_value

P = torch.tensor([0.4, 0.05, 0.25, 0.3], dtype=torch.float64)
N = 40_000
PLACE = torch.tensor([9, 5, 2, 4])


def counts(rule) -> torch.Tensor:
    logits = P.log().float().expand(N, -1)
    return torch.bincount(rule(logits, generator()), minlength=4).double()


def kept(p: torch.Tensor, *ids: int) -> torch.Tensor:
    out = torch.zeros_like(p)
    out[list(ids)] = p[list(ids)]
    return out / out.sum()


LAWS = [
    (Temperature(), P),
    (Temperature(0.5), P**2 / (P**2).sum()),
    (TopK(k=1), kept(P, 0)),
    (TopK(k=2), kept(P, 0, 3)),
    (TopK(k=9), P),
    (TopP(p=1.0), P),
    (TopP(p=0.5), kept(P, 0, 3)),  # 0.4 does not reach 0.5, the next one does
    (TopP(p=0.69), kept(P, 0, 3)),
    (TopP(p=0.71), kept(P, 0, 3, 2)),
    (TopP(p=0.01), kept(P, 0)),
    (MinP(share=0.7), kept(P, 0, 3)),
    (MinP(share=0.2), kept(P, 0, 2, 3)),
    (MinP(share=0.0), P),
    (MinP(share=1.0), kept(P, 0)),
]


@pytest.mark.parametrize(("rule", "law"), LAWS, ids=lambda v: str(v)[:30])
def test_law(rule, law):
    follows(counts(rule), law)


@pytest.mark.parametrize(
    ("rule", "law"),
    [
        (Temperature(1.1), P),
        (TopK(k=3), P),
        (TopP(p=0.71), kept(P, 0, 3)),
        (TopP(p=0.9), P),
        (MinP(share=0.2), P),
    ],
    ids=str,
)
def test_control_neighbouring_laws_are_told_apart(rule, law):
    assert p_value(counts(rule), law) < ALARM


def test_never_predicted_tokens_are_never_drawn():
    logits = torch.tensor([[0.0, -torch.inf, 0.0]]).expand(1000, -1)
    for rule in (Temperature(), TopK(k=3), TopP(p=1.0), MinP(share=0.0)):
        assert not (rule(logits, generator()) == 1).any()


def test_confidence_is_the_largest_probability():
    logits = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 9.0]])
    assert Confidence()(logits, PLACE[:3], generator()).argsort(descending=True).tolist() == [
        2,
        1,
        0,
    ]


SITES = torch.tensor([[0.6, 0.2, 0.2], [0.55, 0.45, 0.0], [0.5, 0.26, 0.24]])


def test_every_rule_has_its_own_order():
    """Three sites, none of which is first for all."""
    for rule, order in [
        (Confidence(), [0, 1, 2]),
        (Margin(), [0, 2, 1]),
        (Entropy(), [1, 0, 2]),
        (LeftToRight(), [2, 1, 0]),
    ]:
        score = rule(SITES.log(), PLACE[:3], generator())
        assert score.argsort(descending=True).tolist() == order, rule


def test_entropy_is_minus_the_entropy():
    logits = torch.tensor([[0.0, 0.0, -torch.inf], [9.0, -torch.inf, -torch.inf]])
    score = Entropy()(logits, PLACE[:2], generator())
    assert torch.allclose(score, torch.tensor([-math.log(2), 0.0]))


def test_random_sites_are_in_any_order():
    first = torch.stack(
        [Random()(torch.zeros(4, 2), PLACE, generator(i)).argmax() for i in range(4000)]
    )
    uniform = torch.full((4,), 0.25, dtype=torch.float64)
    follows(torch.bincount(first, minlength=4).double(), uniform)
