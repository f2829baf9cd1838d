"""Masked diffusion language model, every sampler."""

from .config import Config
from .model import Model
from .objective import log_likelihood_bound, objective
from .sampler import sample
from .sampler_blocks import sample as sampler_blocks
from .sampler_confidence import sample as sampler_confidence
from .sampler_entropy import sample as sampler_entropy
from .sampler_entropy_bounded import sample as sampler_entropy_bounded
from .sampler_first_hitting import sample as sampler_first_hitting
from .sampler_left_to_right import sample as sampler_left_to_right
from .sampler_margin import sample as sampler_margin
from .sampler_mask_predict import sample as sampler_mask_predict
from .sampler_random import sample as sampler_random
from .sampler_remask_cap import sample as sampler_remask_cap
from .sampler_remask_confidence import sample as sampler_remask_confidence
from .sampler_remask_loop import sample as sampler_remask_loop
from .sampler_remask_rescale import sample as sampler_remask_rescale
from .sampler_threshold import sample as sampler_threshold
from .types import Examples, Vocab

BOUND_AT = {"noise.schedule.eps": 0.0}  # where the bound holds
EXACT = False  # is log_likelihood_bound log p(x) itself, or a bound of it?
NEEDS = ("eos", "mask")  # special tokens asked of a tokenizer, besides BOS and padding
SAMPLERS = {  # the first is the default
    "ancestral": sample,
    "first_hitting": sampler_first_hitting,
    "random": sampler_random,
    "left_to_right": sampler_left_to_right,
    "confidence": sampler_confidence,
    "margin": sampler_margin,
    "entropy": sampler_entropy,
    "threshold": sampler_threshold,
    "entropy_bounded": sampler_entropy_bounded,
    "blocks": sampler_blocks,
    "mask_predict": sampler_mask_predict,
    "remask_cap": sampler_remask_cap,
    "remask_rescale": sampler_remask_rescale,
    "remask_confidence": sampler_remask_confidence,
    "remask_loop": sampler_remask_loop,
}

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
