"""The law of `top_p_below`: the most probable tokens with a sum of at most p; at least one."""

from torch import Tensor

from .temperature_law import distribution as with_temperature

STRICT, LOOSE = {"p": 0.8, "temperature": 0.7}, {"p": 1.0, "temperature": 1.0}


def distribution(rule, p: Tensor) -> Tensor:
    p = with_temperature(rule, p)
    ranked, token = p.sort(-1, descending=True)
    nucleus = (ranked.cumsum(-1) <= rule.p) | (ranked == ranked[..., :1]) | (rule.p == 1)
    kept = p * nucleus.gather(-1, token.argsort(-1))
    return kept / kept.sum(-1, keepdim=True)
