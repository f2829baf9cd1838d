"""The law of `poisson_drop`: tokens are inserted; its samplers are those of `independent_drop`."""

from .independent_drop_law import START, Sampling, tokens_of

__all__ = ["START", "Sampling", "tokens_of"]
