"""MaskGIT, parallel decoding with a mask schedule."""

from .config import Config
from .model import Model
from .objective import log_likelihood_bound, objective
from .sampler import sample
from .types import Examples, Vocab

BOUND_AT = {}  # where the bound holds
EXACT = False  # True: log_likelihood_bound is log p(x), not a bound
NEEDS = ("eos", "mask")  # special tokens that a tokenizer must have besides BOS and padding
SAMPLERS = {"drawn_confidence": sample}

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
