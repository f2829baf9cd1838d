"""The law of `suppress_tokens`: the conditional distribution given that none of these is drawn."""

from torch import Tensor

from xlm_spec.laws import EOS

from .logits_processor_law import Wrapped

STRICT = {"ids": "1", "eos": True}


def wrapped(wrap, model):
    def token_logits(hidden: Tensor) -> Tensor:
        p = model.token_logits(hidden).double().softmax(-1)
        for v in [int(i) for i in wrap.ids.split()] + ([EOS] if wrap.eos else []):
            p[..., v] = 0
        return (p / p.sum(-1, keepdim=True)).log()

    return Wrapped(model, token_logits)
