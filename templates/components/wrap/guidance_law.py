"""The law of `guidance`: p is proportional to p(with the prompt)^(1 + scale) / p(without)^scale."""

import torch
from torch import Tensor

from xlm_spec.laws import MASK

STRICT = {"scale": 0.5, "keep": 0}


def wrapped(wrap, model):
    """Only BOS is fixed: it is the prompt, unless it is kept."""
    return Guided(model, wrap.scale, wrap.keep)


class Guided:
    def __init__(self, model, scale: float, keep: int):
        self.model, self.scale, self.keep = model, scale, keep

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> "Pair":
        blind = tokens.clone()
        if self.keep == 0:
            blind[:, 0] = MASK
        return Pair(self.model(tokens, valid, t), self.model(blind, valid, t))

    def token_logits(self, hidden) -> Tensor:
        p, q = (self.model.token_logits(h).double().softmax(-1) for h in hidden.pair)
        guided = p ** (1 + self.scale) / torch.where(q > 0, q, 1.0) ** self.scale
        return (guided / guided.sum(-1, keepdim=True)).log()


class Pair:
    """Two hidden states that are indexed together."""

    def __init__(self, *pair: Tensor):
        self.pair = pair

    def __getitem__(self, index):
        return Pair(*(h[index] for h in self.pair))
