"""Classifier-free guidance of edits: away from the rates and tokens without the prompt.

Paper: arXiv:2506.09018 (Edit Flows, guidance)
Also known as: guided_edits, rate_guidance, edit_flows_cfg
    scale: cfg_scale, guidance_scale, guidance, w
"""

import torch
from torch import Tensor

from ..types import Examples, Vocab

EXACT_AT = {"scale": 0}


class EditGuidance:
    """Rates r = with (with / without)^scale, and the same of the tokens' distributions.

    A geometric mean in the direction of the prompt (Edit Flows, arXiv:2506.09018). Without the
    prompt there are BOS in its place, as before a shorter prompt: the model must have been trained
    on sequences without one. Two function evaluations per call.
    """

    def __init__(
        self,
        model,
        x: Examples,
        vocab: Vocab,
        *,
        scale: float = 1.0,  # 0: no guidance; in [0, inf)
    ):
        self.model, self.bos, self.scale = model, vocab.bos, scale
        free = x.valid & ~x.fixed
        self.prompt = x.valid & (free.cumsum(1) == 0)  # (B, L)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        """The hidden states with the prompt and without it, (B, L, 2 D)."""
        blind = tokens.masked_fill(self.prompt, self.bos)
        return torch.cat([self.model(tokens, valid, t), self.model(blind, valid, t)], -1)

    def gap_count(self, hidden: Tensor) -> Tensor:
        return self.rate(*(self.model.gap_count(h) for h in hidden.chunk(2, -1)))

    def delete_rate(self, hidden: Tensor) -> Tensor:
        return self.rate(*(self.model.delete_rate(h) for h in hidden.chunk(2, -1)))

    def substitute_rate(self, hidden: Tensor) -> Tensor:
        return self.rate(*(self.model.substitute_rate(h) for h in hidden.chunk(2, -1)))

    def gap_token_logits(self, hidden: Tensor) -> Tensor:
        return self.logits(*(self.model.gap_token_logits(h) for h in hidden.chunk(2, -1)))

    def token_logits(self, hidden: Tensor) -> Tensor:
        return self.logits(*(self.model.token_logits(h) for h in hidden.chunk(2, -1)))

    def rate(self, given: Tensor, blind: Tensor) -> Tensor:
        tiny = torch.finfo(given.dtype).tiny
        return given * (given / blind.clamp(min=tiny)) ** self.scale

    def logits(self, given: Tensor, blind: Tensor) -> Tensor:
        guided = given + self.scale * (given - blind)
        return guided.masked_fill(given == -torch.inf, -torch.inf)  # special tokens
