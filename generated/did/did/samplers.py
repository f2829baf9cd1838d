"""The samplers of did, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_insertion_leaping
from .config import Config
from .types import Examples, GapState


def sample_greedy(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler insertion_leaping, tokens top_k."""
    return sampler_insertion_leaping.sample(model, config, start, rng, config.sampler.greedy)


def sample_exact(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler insertion_leaping, tokens temperature."""
    return sampler_insertion_leaping.sample(model, config, start, rng, config.sampler.exact)


SAMPLERS = {"greedy": sample_greedy, "exact": sample_exact}
sample = sample_greedy
