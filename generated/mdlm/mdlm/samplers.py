"""The samplers of mdlm, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_ancestral, sampler_fixed_budget
from .config import Config
from .types import Examples, State


def sample_ancestral(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler ancestral, tokens temperature."""
    return sampler_ancestral.sample(model, config, start, rng, config.sampler.ancestral)


def sample_confidence(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order confidence, tokens top_k."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.confidence)


SAMPLERS = {"ancestral": sample_ancestral, "confidence": sample_confidence}
sample = sample_ancestral
