"""The law of `top_k`: the k most probable tokens."""

from torch import Tensor

from .temperature_law import distribution as with_temperature

STRICT, LOOSE = {"k": 2, "temperature": 0.7}, {"k": 4, "temperature": 1.0}


def distribution(rule, p: Tensor) -> Tensor:
    p = with_temperature(rule, p)
    kept = p * (p.argsort(-1, descending=True).argsort(-1) < rule.k)
    return kept / kept.sum(-1, keepdim=True)
