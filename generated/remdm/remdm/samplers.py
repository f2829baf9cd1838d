"""The samplers of remdm, by name; the first is the default."""

from collections.abc import Iterator

from torch import Generator

from . import sampler_remask, sampler_remask_loop
from .config import Config
from .types import Examples, Remembered


def sample_cap(model, config: Config, start: Examples, rng: Generator) -> Iterator[Remembered]:
    """Sampler remask, tokens top_p_below, remasking cap."""
    return sampler_remask.sample(model, config, start, rng, config.sampler.cap)


def sample_rescale(model, config: Config, start: Examples, rng: Generator) -> Iterator[Remembered]:
    """Sampler remask, tokens top_p_below, remasking rescale."""
    return sampler_remask.sample(model, config, start, rng, config.sampler.rescale)


def sample_conf(model, config: Config, start: Examples, rng: Generator) -> Iterator[Remembered]:
    """Sampler remask, tokens top_p_below, remasking confidence."""
    return sampler_remask.sample(model, config, start, rng, config.sampler.conf)


def sample_loop(model, config: Config, start: Examples, rng: Generator) -> Iterator[Remembered]:
    """Sampler remask_loop, tokens top_p_below, remasking cap."""
    return sampler_remask_loop.sample(model, config, start, rng, config.sampler.loop)


SAMPLERS = {"cap": sample_cap, "rescale": sample_rescale, "conf": sample_conf, "loop": sample_loop}
sample = sample_cap
