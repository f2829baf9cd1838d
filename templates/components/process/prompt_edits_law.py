"""The law of `prompt_edits`: without a prompt the source is empty, and everything is inserted."""

from .independent_drop_law import START, Sampling, insertion_rate, tokens_of

__all__ = ["START", "Sampling", "edit_rate", "tokens_of"]

edit_rate = insertion_rate
