"""The law of `drawn_factor`: the n-th likeliest drawn token needs p >= 1 - factor / (n + 1)."""

from xlm_spec.laws import Step

from ..process.mask_law import Sampling
from .drawn_threshold_law import keeping

FEW_STEPS = {"factor": 1.9}


def steps(s: Sampling) -> list[Step]:
    return keeping(s, lambda p, n: p >= 1 - s.parameters.factor / (n + 1))
