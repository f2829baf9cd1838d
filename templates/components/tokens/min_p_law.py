"""The law of `min_p`: the tokens with at least `share` times the largest probability."""

from torch import Tensor

from .temperature_law import distribution as with_temperature

STRICT, LOOSE = {"share": 0.2, "temperature": 0.7}, {"share": 0.0, "temperature": 1.0}


def distribution(rule, p: Tensor) -> Tensor:
    p = with_temperature(rule, p)
    kept = p * (p >= rule.share * p.max(-1, keepdim=True)[0])
    return kept / kept.sum(-1, keepdim=True)
