"""A sampler, as the laws of its steps use it."""

from __future__ import annotations

from copy import copy
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch

from .law_files import FOLDERS
from .protocols import NEEDED, Positions
from .sampler_runs import parameters_of
from .toy_distribution import LONGEST

if TYPE_CHECKING:
    from .method import Method

EVERYWHERE = tuple(range(LONGEST))


class Sampling:
    """Its parameters, its rules, its model, and its free positions.

    `free` are positions of the longest sequence, from 0; loops around the sampler restrict them.
    """

    def __init__(self, m: Method, sampler: str, config: Any, model: Any):
        self.m, self.model, self.free = m, model, EVERYWHERE
        self.parts, self.parameters = m.samplers[sampler], parameters_of(m, sampler, config)

    def within(self, free: Positions) -> Sampling:
        """The same sampler, restricted to these positions."""
        other = copy(self)
        other.free = free
        return other

    def rule(self, key: str) -> Any:
        """The law of a rule, a function with the rule's parameters; None: any order."""
        folder = FOLDERS.get(key, key)
        function = getattr(
            self.m.law(folder, self.parts[key]["kind"]), NEEDED[folder].names[0], None
        )
        return function and partial(function, getattr(self.parameters, key))

    def listed(self, key: str) -> list[tuple[Any, Any]]:
        """The law files of its wraps, the outermost first, or correctors, with the parameters."""
        if key == "wrap" and "outer" in self.parts:  # in packages that were built before 0.5.0
            return [(self.m.law("wrap", self.parts["outer"]["kind"]), self.parameters.outer)]
        numbers, chosen = getattr(self.parameters, key, None), self.parts.get(key, ())
        return [(self.m.law(key, c["kind"]), getattr(numbers, c["kind"], None)) for c in chosen]

    def windows(self) -> list[Sampling]:
        """The sampler in each window of the loops around it; itself if there is none."""
        parts = [self.free]
        for law, numbers in self.listed("wrap"):
            if hasattr(law, "windows"):
                split = [(free, w) for free in parts for w in law.windows(numbers, len(free))]
                parts = [tuple(free[i] for i in window) for free, window in split]
        return [self.within(free) for free in parts]

    def wrapped(self) -> Any:
        """The model with its wraps."""
        model = self.model
        for law, numbers in reversed(self.listed("wrap")):
            if hasattr(law, "wrapped"):
                reads = signature(law.wrapped).parameters
                extra = {"sampling": self} if "sampling" in reads else {}
                model = law.wrapped(numbers, model, **extra)
        return model

    def alpha(self, t: float) -> float:
        return float(self.m.schedule.alpha(torch.tensor(t, dtype=torch.float64)))

    def inverse(self, alpha: float) -> float:
        return float(self.m.schedule.inverse(torch.tensor(alpha, dtype=torch.float64)))


def sampling_of(m: Method, sampler: str, config: Any, model: Any) -> Sampling:
    """A sampler, as the laws of its steps use it."""
    return (m.of_process("Sampling") or Sampling)(m, sampler, config, model)
