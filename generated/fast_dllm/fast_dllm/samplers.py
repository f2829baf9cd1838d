"""The samplers of fast_dllm, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_drawn_factor, sampler_drawn_threshold
from .config import Config
from .types import Examples, State


def sample_threshold(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler drawn_threshold, tokens top_k, wrap blocks."""
    return sampler_drawn_threshold.sample_in_blocks(
        model, config, start, rng, config.sampler.threshold
    )


def sample_factor(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler drawn_factor, tokens top_k, wrap blocks."""
    return sampler_drawn_factor.sample_in_blocks(model, config, start, rng, config.sampler.factor)


SAMPLERS = {"threshold": sample_threshold, "factor": sample_factor}
sample = sample_threshold
