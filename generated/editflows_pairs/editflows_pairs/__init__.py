"""Edit flows from a given text."""

from .config import Config
from .model import Model
from .objective import log_likelihood_bound, objective
from .sampler import sample
from .types import Examples, Vocab

BOUND_AT = {"noise.schedule.eps": 0.0}  # where the bound holds
EXACT = False  # True: log_likelihood_bound is log p(x), not a bound
NEEDS = ()  # special tokens that a tokenizer must have besides BOS and padding
SAMPLERS = {"edit_leaping": sample}

__all__ = [
    "BOUND_AT",
    "EXACT",
    "NEEDS",
    "SAMPLERS",
    "Config",
    "Examples",
    "Model",
    "Vocab",
    "log_likelihood_bound",
    "objective",
    "sample",
]
