"""Wrap guidance of llada.

Classifier-free guidance: away from the predictions without the prompt.
"""

import torch
from torch import Tensor

from .types import Examples, Vocab


class Guidance:
    """logits = without + (1 + scale) (with - without the prompt) (LLaDA, arXiv:2502.09992).

    Two function evaluations per call. The model must have been trained on sequences with masks in
    place of the prompt, or on sequences without one.
    """

    def __init__(
        self,
        model,
        x: Examples,
        vocab: Vocab,
        *,
        scale: float = 1.0,  # 0: no guidance; in [0, inf)
        keep: int = 1,  # first tokens of the prompt that are never masked; 1: BOS; in [0, inf)
    ):
        self.model, self.x, self.mask, self.scale = model, x, vocab.mask, scale
        index = torch.arange(x.tokens.shape[1], device=x.tokens.device)
        self.prompt = x.fixed & (index >= keep)  # (B, L)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        """The hidden states with the prompt and without it, (R, L, 2 D)."""
        blind = tokens.masked_fill(self.prompt_of(tokens), self.mask)
        return torch.cat([self.model(tokens, valid, t), self.model(blind, valid, t)], -1)

    def token_logits(self, hidden: Tensor) -> Tensor:
        given, blind = (self.model.token_logits(h) for h in hidden.chunk(2, -1))
        guided = blind + (1 + self.scale) * (given - blind)
        return guided.masked_fill(given == -torch.inf, -torch.inf)  # special tokens

    def prompt_of(self, tokens: Tensor) -> Tensor:
        """The positions of the prompt in R rows of the batch, (R, L) bool.

        If some rows are left out, a row is the first one of the batch whose fixed tokens it has.
        """
        if len(tokens) == len(self.prompt):
            return self.prompt
        same = (tokens[:, None] == self.x.tokens) | ~self.x.fixed  # (R, B, L)
        return self.prompt[same.all(-1).long().argmax(1)]
