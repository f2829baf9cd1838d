"""Classifier-free guidance: away from the predictions without the prompt."""

import torch
from torch import Tensor

from ..types import Examples, Vocab

EXACT_AT = {"scale": 1.0}


class Guided:
    """log p = (1 - scale) log p(without the prompt) + scale log p(with it)."""

    def __init__(
        self,
        model,
        x: Examples,
        vocab: Vocab,
        *,
        scale: float = 1.5,  # 1: no guidance; in [0, inf)
    ):
        self.model, self.scale, self.mask = model, scale, vocab.mask
        self.prompt = x.fixed.all(0) & (x.tokens != vocab.bos).any(0)  # of all sequences

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        """The hidden states with the prompt and without it, (B, L, 2 D)."""
        blind = tokens.masked_fill(self.prompt, self.mask)
        return torch.cat([self.model(tokens, valid, t), self.model(blind, valid, t)], -1)

    def token_logits(self, hidden: Tensor) -> Tensor:
        given, blind = (self.model.token_logits(h) for h in hidden.chunk(2, -1))
        guided = blind + self.scale * (given - blind)
        return guided.masked_fill(given == -torch.inf, -torch.inf)  # special tokens
