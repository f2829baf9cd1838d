"""The samplers of dream, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_ancestral, sampler_drawn_confidence, sampler_scheduled_budget
from .config import Config
from .types import Examples, State


def sample_origin(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler ancestral, tokens top_k."""
    return sampler_ancestral.sample(model, config, start, rng, config.sampler.origin)


def sample_entropy(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler scheduled_budget, order entropy, tokens top_k."""
    return sampler_scheduled_budget.sample(model, config, start, rng, config.sampler.entropy)


def sample_topk_margin(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler scheduled_budget, order margin, tokens top_k."""
    return sampler_scheduled_budget.sample(model, config, start, rng, config.sampler.topk_margin)


def sample_maskgit_plus(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler drawn_confidence, tokens top_k."""
    return sampler_drawn_confidence.sample(model, config, start, rng, config.sampler.maskgit_plus)


def sample_drawn(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Sampler scheduled_budget, order entropy, tokens temperature, wrap logits_processor."""
    return sampler_scheduled_budget.sample_in_logits_processor(
        model, config, start, rng, config.sampler.drawn
    )


SAMPLERS = {
    "origin": sample_origin,
    "entropy": sample_entropy,
    "topk_margin": sample_topk_margin,
    "maskgit_plus": sample_maskgit_plus,
    "drawn": sample_drawn,
}
sample = sample_origin
