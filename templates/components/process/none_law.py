"""The law of `none`: the model reads clean sequences from left to right."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from xlm_spec.laws import PAD, Tokens, ToyDistribution

from .mask_law import Posterior

CORRUPTS = False
State = tuple[Tokens, bool]  # tokens, and whether the sequence is complete
START: State = ((), False)


def tokens_of(state: State) -> Tokens:
    return state[0]


def model_input(
    tokens: Tensor, valid: Tensor, corrupted: list[int], vocab: Any
) -> tuple[Tensor, Tensor]:
    """The clean sequence."""
    return tokens, valid


class Conditional(Posterior):
    """p(x_{i+1} | x_<=i) at position i: the exact model from left to right; its cache is empty."""

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None, **_) -> Tensor:
        return torch.stack([self.next_token(tokens, i) for i in range(tokens.shape[1])], 1)

    def next_token(self, tokens: Tensor, i: int) -> Tensor:
        """(B, V): the prediction of the token after position i."""
        missing = self.w.width - tokens.shape[1]
        tokens = F.pad(tokens, (0, max(0, missing)), value=PAD)
        seen = torch.arange(tokens.shape[1]) <= i
        hidden = super().__call__(tokens, seen.expand_as(tokens))
        return hidden[:, min(i + 1, tokens.shape[1] - 1)]

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list:
        return []

    def extend_cache(self, tokens: Tensor, place: Tensor, cache: list) -> Tensor:
        return self(tokens, tokens >= 0)[torch.arange(len(place)), place]


def minimiser(w: ToyDistribution, blur: float, tilt: float) -> Conditional:
    return Conditional(w, blur, tilt)


def log_p_by_order(model: Any, w: ToyDistribution) -> list[Tensor]:
    """log p(x), (1,), of each sequence, with EOS: there is one order."""
    x, valid = w.batch()
    hidden = model(x, valid)
    log_p = model.token_logits(hidden[:, :-1]).double().log_softmax(-1)
    nats = log_p.gather(2, x[:, 1:, None])[..., 0]
    return [*nats.masked_fill(~valid[:, 1:], 0.0).sum(1)[:, None]]
