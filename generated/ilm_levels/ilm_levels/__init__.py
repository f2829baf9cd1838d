"""Insertion language model, every number of missing tokens weighed alike."""

from .config import Config
from .model import Model
from .objective import log_likelihood_bound, objective
from .sampler import sample
from .sampler_exact import sample as sampler_exact
from .types import Examples, Vocab

BOUND_AT = {"noise.count.least": 0}  # where the bound holds
EXACT = False  # is log_likelihood_bound log p(x) itself, or a bound of it?
NEEDS = ()  # special tokens asked of a tokenizer, besides BOS and padding
SAMPLERS = {"greedy": sample, "exact": sampler_exact}  # the first is the default

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
