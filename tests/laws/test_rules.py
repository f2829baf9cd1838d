"""Token rules sample from their distributions; unmasking orders rank positions as defined."""

from importlib import import_module

import pytest
import torch
from laws.sampled_laws import ALARM, follows

from components.order.confidence import Confidence
from components.order.entropy import Entropy
from components.order.left_to_right import LeftToRight
from components.order.margin import Margin
from components.order.random import Random
from components.tokens.min_p import MinP
from components.tokens.temperature import Temperature
from components.tokens.top_k import TopK
from components.tokens.top_p import TopP
from xlm_spec.laws.rule_laws import itself
from xlm_spec.laws.toy_distribution import generator, p_value

P = torch.tensor([0.4, 0.05, 0.25, 0.3], dtype=torch.float64)
N = 40_000
POSITIONS = torch.tensor([9, 5, 2, 4])


def counts(rule) -> torch.Tensor:
    logits = P.log().float().expand(N, -1)
    return torch.bincount(rule(logits, generator()), minlength=4).double()


def kept(p: torch.Tensor, *ids: int) -> torch.Tensor:
    out = torch.zeros_like(p)
    out[list(ids)] = p[list(ids)]
    return out / out.sum()


RULES = [
    *(Temperature(), Temperature(0.5)),
    *(TopK(k=k) for k in (1, 2, 9)),
    *(TopP(p=p) for p in (1.0, 0.5, 0.69, 0.71, 0.01)),
    *(MinP(share=share) for share in (0.7, 0.2, 0.0, 1.0)),
]


def distribution(rule) -> torch.Tensor:
    """The distribution of a rule, from its law file."""
    value = rule.__class__.__module__.rpartition(".")[2]
    return import_module(f"xlm_spec.laws.components.tokens.{value}_law").distribution(rule, P)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_samples_from_the_distribution_of_its_law_file(rule):
    follows(counts(rule), distribution(rule))


@pytest.mark.parametrize(
    ("rule", "ids"),
    [
        (TopK(k=9), [0, 1, 2, 3]),
        (TopP(p=0.5), [0, 3]),  # 0.4 does not reach 0.5, the next one does
        (TopP(p=0.69), [0, 3]),
        (TopP(p=0.71), [0, 3, 2]),
        (MinP(share=0.7), [0, 3]),
        (MinP(share=1.0), [0]),
    ],
    ids=str,
)
def test_tokens_that_a_rule_keeps(rule, ids):
    assert torch.allclose(distribution(rule), kept(P, *ids))


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        (Temperature(1.1), P),
        (TopK(k=3), P),
        (TopP(p=0.71), kept(P, 0, 3)),
        (TopP(p=0.9), P),
        (MinP(share=0.2), P),
    ],
    ids=str,
)
def test_control_similar_distributions_are_distinguished(rule, other):
    assert p_value(counts(rule), other) < ALARM


def test_excluded_tokens_are_never_sampled():
    logits = torch.tensor([[0.0, -torch.inf, 0.0]]).expand(1000, -1)
    for rule in (Temperature(), TopK(k=3), TopP(p=1.0), MinP(share=0.0)):
        assert not (rule(logits, generator()) == 1).any()


ORDER = torch.tensor([[0.6, 0.2, 0.2], [0.55, 0.45, 0.0], [0.5, 0.26, 0.24]])


def test_every_unmasking_order_differs():
    """Three positions, none of which is first in all orders."""
    for rule, order in [
        (Confidence(), [0, 1, 2]),
        (Margin(), [0, 2, 1]),
        (Entropy(), [1, 0, 2]),
        (LeftToRight(), [2, 1, 0]),
    ]:
        score = rule(itself, ORDER.log(), POSITIONS[:3], generator())
        assert score.argsort(descending=True).tolist() == order, rule


def test_random_order_is_uniform():
    first = torch.stack(
        [Random()(itself, torch.zeros(4, 2), POSITIONS, generator(i)).argmax() for i in range(4000)]
    )
    uniform = torch.full((4,), 0.25, dtype=torch.float64)
    follows(torch.bincount(first, minlength=4).double(), uniform)
