"""The samplers of ilm_per_count, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_insertion
from .config import Config
from .types import Examples, GapState


def sample_greedy(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler insertion, gaps top_k, tokens top_k, stop threshold."""
    return sampler_insertion.sample(model, config, start, rng, config.sampler.greedy)


def sample_exact(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler insertion, gaps temperature, tokens temperature, stop drawn."""
    return sampler_insertion.sample(model, config, start, rng, config.sampler.exact)


SAMPLERS = {"greedy": sample_greedy, "exact": sample_exact}
sample = sample_greedy
