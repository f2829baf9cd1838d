"""The law of `logits_processor`: p to the power of 1 / temperature, its nucleus, its k best."""

from types import SimpleNamespace

import torch
from torch import Tensor

from ..tokens.top_k_law import distribution as k_likeliest
from ..tokens.top_p_law import distribution as nucleus

STRICT = {"temperature": 2.0, "top_p": 0.9, "top_k": 2}


def wrapped(wrap, model):
    def token_logits(hidden: Tensor) -> Tensor:
        p = model.token_logits(hidden).double().softmax(-1)
        p = nucleus(SimpleNamespace(p=wrap.top_p, temperature=wrap.temperature), p)
        p = k_likeliest(SimpleNamespace(k=wrap.top_k or p.shape[-1], temperature=1.0), p)
        return torch.log(p)

    return Wrapped(model, token_logits)


class Wrapped:
    """The wrapped model with another head."""

    def __init__(self, model, token_logits):
        self.model, self.token_logits = model, token_logits

    def __call__(self, *inputs: Tensor) -> Tensor:
        return self.model(*inputs)
