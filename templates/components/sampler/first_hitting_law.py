"""The law of `first_hitting`: one random position per step, at times sampled from the noise."""

from torch import Tensor

from xlm_spec.laws import Step

from ..process.mask_law import Sampling
from .fixed_budget_law import any_order


def steps(s: Sampling) -> list[Step]:
    """Not enumerable if the model is time-conditioned, as the times are random: see `uniforms`."""
    return [] if s.m.timed else any_order(s, 1)


def uniforms(masked: list[Tensor], n: int) -> list[Tensor]:
    """((1 - alpha(s)) / (1 - alpha(t)))^n for n masks, of which the next is unmasked at s after t.

    For the first two steps.
    """
    first, second = masked[:2]
    ratio = (second / first.clamp(min=1e-12)).clamp(max=1)
    return [first**n, ratio ** (n - 1)]
