"""The samplers of llada, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_drawn_confidence, sampler_scheduled_budget
from .config import Config
from .types import Examples, State


def sample_low_confidence(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[State]:
    """Sampler drawn_confidence, tokens top_k."""
    return sampler_drawn_confidence.sample(model, config, start, rng, config.sampler.low_confidence)


def sample_random(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler scheduled_budget, order random, tokens temperature."""
    return sampler_scheduled_budget.sample(model, config, start, rng, config.sampler.random)


def sample_blocks(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler drawn_confidence, tokens top_k, wrap blocks."""
    return sampler_drawn_confidence.sample_in_blocks(
        model, config, start, rng, config.sampler.blocks
    )


def sample_guided(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler drawn_confidence, tokens top_k, wrap guidance."""
    return sampler_drawn_confidence.sample_in_guidance(
        model, config, start, rng, config.sampler.guided
    )


SAMPLERS = {
    "low_confidence": sample_low_confidence,
    "random": sample_random,
    "blocks": sample_blocks,
    "guided": sample_guided,
}
sample = sample_low_confidence
