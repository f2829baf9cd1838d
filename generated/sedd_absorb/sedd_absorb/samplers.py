"""The samplers of sedd_absorb, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_mixture_euler, sampler_mixture_posterior
from .config import Config
from .types import Examples, Mixed


def sample_analytic(model, config: Config, start: Examples, rng: Generator) -> Iterator[Mixed]:
    """Sampler mixture_posterior, tokens temperature."""
    return sampler_mixture_posterior.sample(model, config, start, rng, config.sampler.analytic)


def sample_euler(model, config: Config, start: Examples, rng: Generator) -> Iterator[Mixed]:
    """Sampler mixture_euler, tokens temperature."""
    return sampler_mixture_euler.sample(model, config, start, rng, config.sampler.euler)


SAMPLERS = {"analytic": sample_analytic, "euler": sample_euler}
sample = sample_analytic
