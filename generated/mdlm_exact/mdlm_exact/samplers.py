"""The samplers of mdlm_exact, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_first_hitting, sampler_fixed_budget
from .config import Config
from .types import Examples, State


def sample_first_hitting(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler first_hitting, tokens temperature."""
    return sampler_first_hitting.sample(model, config, start, rng, config.sampler.first_hitting)


def sample_confidence(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order confidence, tokens top_k."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.confidence)


SAMPLERS = {"first_hitting": sample_first_hitting, "confidence": sample_confidence}
sample = sample_first_hitting
