"""Learning-rate schedules after the warm-up, each a function to a share of the peak."""

import math
from typing import NamedTuple


class Progress(NamedTuple):
    """Where a run is. With `--minutes`, `done` is the used share of the training time."""

    step: int  # optimiser steps so far
    done: float  # share of the run after the warm-up, in [0, 1]
    warmup: int  # steps of the warm-up
    end: float  # `train.lr_end`, the final share of the peak


def cosine(p: Progress) -> float:
    """Half a cosine, from 1 to `end`."""
    return p.end + (1 - p.end) * (1 + math.cos(math.pi * p.done)) / 2


def constant(p: Progress) -> float:
    """1, whatever `end` is."""
    return 1.0


def linear(p: Progress) -> float:
    """A line from 1 to `end`."""
    return 1 - (1 - p.end) * p.done


def wsd(
    p: Progress,
    *,
    decay: float = 0.2,  # share of the run in which the line falls; in (0, 1]
) -> float:
    """Warm-up, stable, decay (arXiv:2404.06395): 1, then a line to `end` in the last share."""
    return 1 - (1 - p.end) * max(0.0, p.done - (1 - decay)) / decay


def inverse_sqrt(
    p: Progress,
    *,
    timescale: int = 0,  # steps; 0 for those of the warm-up; in [0, inf)
) -> float:
    """(1 + s / timescale)^(-1/2) after s steps; the timescale defaults to the warm-up.

    `end` does not matter. The learning rate falls from the end of the warm-up as in
    arXiv:1706.03762.
    """
    scale = timescale or max(1, p.warmup)
    return (1 + max(0, p.step - p.warmup) / scale) ** -0.5
