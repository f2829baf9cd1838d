"""The samplers of flexmdm, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_tau_leaping
from .config import Config
from .types import Examples, GapState


def sample_greedy(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler tau_leaping, order confidence, tokens top_k."""
    return sampler_tau_leaping.sample(model, config, start, rng, config.sampler.greedy)


def sample_exact(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Sampler tau_leaping, order random, tokens temperature."""
    return sampler_tau_leaping.sample(model, config, start, rng, config.sampler.exact)


SAMPLERS = {"greedy": sample_greedy, "exact": sample_exact}
sample = sample_greedy
