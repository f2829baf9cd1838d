"""The law of `top_p`: the most probable tokens, while the sum of those before is less than p."""

from torch import Tensor

from .temperature_law import distribution as with_temperature

STRICT, LOOSE = {"p": 0.8, "temperature": 0.7}, {"p": 1.0, "temperature": 1.0}


def distribution(rule, p: Tensor) -> Tensor:
    p = with_temperature(rule, p)
    ranked, token = p.sort(-1, descending=True)
    nucleus = ranked.cumsum(-1) - ranked < rule.p
    kept = p * nucleus.gather(-1, token.argsort(-1))
    return kept / kept.sum(-1, keepdim=True)
