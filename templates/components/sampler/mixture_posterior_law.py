"""The law of `mixture_posterior`: equal steps."""

from xlm_spec.laws import Step

from ..process.mixture_law import Sampling
from ..process.uniform_law import equal_steps, reverse_steps

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list[Step]:
    return reverse_steps(s, equal_steps(s.parameters.steps))
