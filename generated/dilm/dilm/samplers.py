"""The samplers of dilm, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_timed_insertion
from .config import Config
from .types import Examples, GapState


def sample_greedy(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler timed_insertion, gaps top_k, tokens top_k."""
    return sampler_timed_insertion.sample(model, config, start, rng, config.sampler.greedy)


def sample_exact(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler timed_insertion, gaps temperature, tokens temperature."""
    return sampler_timed_insertion.sample(model, config, start, rng, config.sampler.exact)


SAMPLERS = {"greedy": sample_greedy, "exact": sample_exact}
sample = sample_greedy
