"""The samplers of mlm, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_fixed_budget, sampler_mask_predict
from .config import Config
from .types import Examples, Remembered, State


def sample_confidence(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order confidence, tokens top_k."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.confidence)


def sample_mask_predict(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[Remembered]:
    """Sampler mask_predict, tokens top_k."""
    return sampler_mask_predict.sample(model, config, start, rng, config.sampler.mask_predict)


def sample_random(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order random, tokens temperature."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.random)


SAMPLERS = {
    "confidence": sample_confidence,
    "mask_predict": sample_mask_predict,
    "random": sample_random,
}
sample = sample_confidence
