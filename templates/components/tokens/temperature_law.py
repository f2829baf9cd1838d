"""The law of `temperature`: p to the power of 1 / temperature."""

from torch import Tensor

STRICT, LOOSE = {"temperature": 0.7}, {"temperature": 1.0}


def distribution(rule, p: Tensor) -> Tensor:
    return (p.log() / rule.temperature).softmax(-1)
