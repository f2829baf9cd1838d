"""The law of `ancestral`: equal steps of time, without remasking."""

from xlm_spec.laws import Step

from ..process.mask_law import Sampling
from .remask_law import reverse_step, time_grid

FEW_STEPS = {"steps": 4}


def steps(s: Sampling) -> list[Step]:
    return [reverse_step(s, t, to) for t, to in time_grid(s.parameters.steps)]
