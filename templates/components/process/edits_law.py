"""The law of `edits`: the states of its samplers, which start from a random source."""

from itertools import product
from typing import Any

from xlm_spec.laws import LONGEST, V

from .independent_drop_law import Distribution, insertion_rate, tokens_of
from .independent_drop_law import Sampling as SamplingOfInsertions

__all__ = ["START", "Sampling", "edit_rate", "tokens_of"]

edit_rate = insertion_rate


class Sampling(SamplingOfInsertions):
    """A sampler of sequences in which a source can have any token that is not special."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.ids = tuple(v for v in range(V) if v not in self.m.vocab.special)


def START(s: Sampling) -> Distribution:
    """The source: 0 to `longest` tokens, all numbers equally likely, as many as fit; uniform."""
    longest = s.m.config.noise.process.longest
    found: Distribution = {}
    for n in range(longest + 1):
        fits = min(n, LONGEST)
        for tokens in product(s.ids, repeat=fits):
            found[tokens] = found.get(tokens, 0.0) + len(s.ids) ** -fits / (longest + 1)
    return found
