"""The samplers of mdlm_samplers, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import (
    sampler_ancestral,
    sampler_entropy_bounded,
    sampler_first_hitting,
    sampler_fixed_budget,
    sampler_mask_predict,
    sampler_remask,
    sampler_remask_loop,
    sampler_threshold,
)
from .config import Config
from .types import Examples, Remembered, State


def sample_ancestral(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler ancestral, tokens temperature."""
    return sampler_ancestral.sample(model, config, start, rng, config.sampler.ancestral)


def sample_first_hitting(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler first_hitting, tokens temperature."""
    return sampler_first_hitting.sample(model, config, start, rng, config.sampler.first_hitting)


def sample_random(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order random, tokens temperature."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.random)


def sample_left_to_right(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order left_to_right, tokens temperature."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.left_to_right)


def sample_confidence(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order confidence, tokens temperature."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.confidence)


def sample_margin(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order margin, tokens temperature."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.margin)


def sample_entropy(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order entropy, tokens temperature."""
    return sampler_fixed_budget.sample(model, config, start, rng, config.sampler.entropy)


def sample_threshold(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler threshold, tokens temperature."""
    return sampler_threshold.sample(model, config, start, rng, config.sampler.threshold)


def sample_entropy_bounded(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[State]:
    """Sampler entropy_bounded, tokens temperature."""
    return sampler_entropy_bounded.sample(model, config, start, rng, config.sampler.entropy_bounded)


def sample_blocks(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler fixed_budget, order confidence, tokens temperature, wrap blocks."""
    return sampler_fixed_budget.sample_in_blocks(model, config, start, rng, config.sampler.blocks)


def sample_mask_predict(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[Remembered]:
    """Sampler mask_predict, tokens temperature."""
    return sampler_mask_predict.sample(model, config, start, rng, config.sampler.mask_predict)


def sample_remask_cap(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[Remembered]:
    """Sampler remask, tokens temperature, remasking cap."""
    return sampler_remask.sample(model, config, start, rng, config.sampler.remask_cap)


def sample_remask_rescale(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[Remembered]:
    """Sampler remask, tokens temperature, remasking rescale."""
    return sampler_remask.sample(model, config, start, rng, config.sampler.remask_rescale)


def sample_remask_confidence(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[Remembered]:
    """Sampler remask, tokens temperature, remasking confidence."""
    return sampler_remask.sample(model, config, start, rng, config.sampler.remask_confidence)


def sample_remask_loop(
    model, config: Config, start: Examples, rng: Generator
) -> Iterator[Remembered]:
    """Sampler remask_loop, tokens temperature, remasking cap."""
    return sampler_remask_loop.sample(model, config, start, rng, config.sampler.remask_loop)


SAMPLERS = {
    "ancestral": sample_ancestral,
    "first_hitting": sample_first_hitting,
    "random": sample_random,
    "left_to_right": sample_left_to_right,
    "confidence": sample_confidence,
    "margin": sample_margin,
    "entropy": sample_entropy,
    "threshold": sample_threshold,
    "entropy_bounded": sample_entropy_bounded,
    "blocks": sample_blocks,
    "mask_predict": sample_mask_predict,
    "remask_cap": sample_remask_cap,
    "remask_rescale": sample_remask_rescale,
    "remask_confidence": sample_remask_confidence,
    "remask_loop": sample_remask_loop,
}
sample = sample_ancestral
