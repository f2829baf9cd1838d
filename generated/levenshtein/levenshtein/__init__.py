"""Levenshtein transformer."""

from .config import Config
from .model import Model
from .objective import objective
from .sampler import sample
from .types import Examples, Vocab

BOUND_AT = {}  # where the bound holds
EXACT = False  # True: log_likelihood_bound is log p(x), not a bound
NEEDS = ("mask",)  # special tokens that a tokenizer must have besides BOS and padding
SAMPLERS = {"edit_rounds": sample}

__all__ = [
    "BOUND_AT",
    "EXACT",
    "NEEDS",
    "SAMPLERS",
    "Config",
    "Examples",
    "Model",
    "Vocab",
    "objective",
    "sample",
]
