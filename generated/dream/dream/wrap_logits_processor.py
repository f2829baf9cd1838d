"""Wrap logits_processor of dream.

Temperature and cut before everything else: scores and confidences see them too.
"""

import torch
from torch import Tensor


class LogitsProcessor:
    """softmax(logits / temperature), cut to the nucleus, then to the k likeliest tokens.

    As in Dream's code (arXiv:2508.15487). A rule of `tokens` then draws from what is left, at
    temperature 1, and the unmasking order, or the confidence, is that of the same distribution.
    """

    def __init__(
        self,
        model,
        *,
        temperature: float = 1.0,  # below 1 sharpens; in [0.001, 1000]
        top_p: float = 1.0,  # the likeliest tokens whose mass reaches top_p; 1: all; in (0, 1]
        top_k: int = 0,  # number of tokens kept; 0: all; in [0, inf)
    ):
        self.model, self.temperature = model, temperature
        self.top_p, self.top_k = top_p, top_k

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        return self.model(tokens, valid, t)

    def token_logits(self, hidden: Tensor) -> Tensor:
        logits = self.model.token_logits(hidden) / self.temperature
        if self.top_p < 1:
            p, ids = logits.softmax(-1).sort(descending=True)
            outside = (p.cumsum(-1) - p >= self.top_p).gather(-1, ids.argsort(-1))
            logits = logits.masked_fill(outside, -torch.inf)
        if self.top_k:
            kth = logits.topk(min(self.top_k, logits.shape[-1])).values[..., -1:]
            logits = logits.masked_fill(logits < kth, -torch.inf)
        return logits
