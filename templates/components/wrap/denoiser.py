"""The predictions of x_0 given all of x_t, from those without the token at their own position.

Paper: arXiv:2605.22765 (denoisers and leave-one-out predictions)
Also known as: with_own_token, leave_one_out_to_denoiser, from_leave_one_out
"""

import torch
from torch import Tensor

from ..ops import denoised, mixed_noise
from ..types import MixedSchedule, Vocab

EXACT_AT = {}  # at any values
CONVERTS = {"leave_one_out": "posterior"}


class Denoiser:
    """p(x_0 | x_t without this position) P(x_t | x_0), normalised: p(x_0 | x_t)."""

    def __init__(self, model, schedule: MixedSchedule, vocab: Vocab):
        self.model, self.schedule, self.vocab = model, schedule, vocab

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        """The hidden states, then the token and the time at each position, (R, L, D + 2)."""
        assert t is not None  # all samplers of mixed noise pass it
        hidden = self.model(tokens, valid, t)
        self.dtype = hidden.dtype
        seen = torch.stack([tokens.to(t), t.expand(tokens.shape)], -1)
        return torch.cat([hidden, seen], -1)

    def token_logits(self, hidden: Tensor) -> Tensor:
        """(N, D + 2) -> (N, V)."""
        now, t = hidden[:, -2].long(), hidden[:, -1:]
        logits = self.model.token_logits(hidden[:, :-2].to(self.dtype))
        mass, _ = mixed_noise(t, self.schedule, self.vocab)
        return denoised(logits, now, self.schedule.alpha(t), mass)
