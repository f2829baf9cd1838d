"""The law of `remask_loop`: down to the time of `alpha`, some steps there, then to the end."""

from xlm_spec.laws import Step

from ..process.mask_law import Sampling
from .remask_law import reverse_step, time_grid

FEW_STEPS = {"steps": 4}


def steps(s: Sampling) -> list[Step]:
    rule, n = s.rule("remasking"), s.parameters.steps
    hold = s.inverse(s.parameters.alpha)
    down = min(max(1, round(n * s.parameters.before)), n - 1)
    end = max(1, n - down - round(n * s.parameters.during))
    return [
        *(reverse_step(s, t, to) for t, to in time_grid(down, last=hold)),
        *([reverse_step(s, hold, hold, rule)] * (n - down - end)),
        *(reverse_step(s, t, to) for t, to in time_grid(end, first=hold)),
    ]
