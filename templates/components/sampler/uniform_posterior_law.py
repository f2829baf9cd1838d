"""The law of `uniform_posterior`: equal steps of time."""

from xlm_spec.laws import Step

from ..process.uniform_law import Sampling, equal_steps, reverse_steps

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list[Step]:
    return reverse_steps(s, equal_steps(s.parameters.steps))
