"""The law of `mixture_posterior`: steps that are shorter at both ends, or equal ones."""

from math import pi, sin

from xlm_spec.laws import Step

from ..process.mixture_law import Sampling
from ..process.uniform_law import equal_steps, reverse_steps

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list[Step]:
    times = equal_steps(s.parameters.steps)
    if s.parameters.short_ends:
        times = [sin(pi * u / 2) ** 2 for u in times]
    return reverse_steps(s, times)
