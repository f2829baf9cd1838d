"""The law of `edits`: the states of its samplers, from an empty source."""

from .independent_drop_law import START, Sampling, tokens_of

__all__ = ["START", "Sampling", "tokens_of"]
