"""The law of `suppress_tokens`: the conditional distribution given that none of these is drawn."""

from torch import Tensor

from xlm_spec.laws import EOS

from .logits_processor_law import Wrapped

STRICT = {"first": 1, "count": 1, "eos": True}


def wrapped(wrap, model):
    def token_logits(hidden: Tensor) -> Tensor:
        p = model.token_logits(hidden).double().softmax(-1)
        p[..., wrap.first : wrap.first + wrap.count] = 0
        p[..., EOS] *= not wrap.eos
        return (p / p.sum(-1, keepdim=True)).log()

    return Wrapped(model, token_logits)
