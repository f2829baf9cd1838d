"""Rules of the samplers of mdlm_samplers.

Order random and left_to_right and confidence and margin and entropy, tokens temperature, remasking
cap and rescale and confidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .ops import categorical, in_pieces


@dataclass(frozen=True)
class Random:
    """A uniform score: random order."""

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        return torch.rand(len(hidden), generator=rng, device=hidden.device)


@dataclass(frozen=True)
class LeftToRight:
    """The negative position: from left to right."""

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        return -position.float()


@dataclass(frozen=True)
class Confidence:
    """max_v p(v | x_t), the highest first (LLaDA, arXiv:2502.09992, with greedy tokens).

    The score depends neither on the temperature or cut of `tokens` nor on the drawn token.
    """

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        return in_pieces(lambda logits: logits.softmax(-1).amax(-1), head, hidden)


@dataclass(frozen=True)
class Margin:
    """p(first | x_t) - p(second | x_t), the largest first (arXiv:2502.06768).

    The score does not depend on the temperature or the cut of `tokens`.
    """

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        def score(logits: Tensor) -> Tensor:  # (N, V) -> (N,)
            first, second = logits.softmax(-1).topk(2, dim=-1).values.unbind(-1)
            return first - second

        return in_pieces(score, head, hidden)


@dataclass(frozen=True)
class Entropy:
    """sum_v p log p, the negative entropy of p(. | x_t), the highest first.

    The score does not depend on the temperature or the cut of `tokens`.
    """

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        def score(logits: Tensor) -> Tensor:  # (N, V) -> (N,)
            p = logits.softmax(-1)
            return p.xlogy(p).sum(-1)

        return in_pieces(score, head, hidden)


@dataclass(frozen=True)
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        return categorical((logits / self.temperature).softmax(-1), rng)


@dataclass(frozen=True)
class Cap:
    """sigma = min(rate, (1 - alpha(s)) / alpha(t)) (ReMDM, arXiv:2503.00307)."""

    rate: float = 0.02  # remasking probability per token and step; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, unmasked: Tensor) -> Tensor:
        return most.clamp(max=self.rate).expand(unmasked.shape)  # (B, 1) -> (B, L)


@dataclass(frozen=True)
class Rescale:
    """sigma = share (1 - alpha(s)) / alpha(t) (ReMDM, arXiv:2503.00307)."""

    share: float = 0.05  # share of the largest valid probability; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, unmasked: Tensor) -> Tensor:
        return (self.share * most).expand(unmasked.shape)  # (B, 1) -> (B, L)


@dataclass(frozen=True)
class RemaskConfidence:
    """sigma_i = softmax_i(-p_i) (1 - alpha(s)) / alpha(t), over the unmasked tokens of a row.

    p_i is the probability of the token when it was unmasked (ReMDM, arXiv:2503.00307). Masked
    positions have sigma = 0, so the noise level lags the schedule by at most one token per step.
    """

    def __call__(self, most: Tensor, confidence: Tensor, unmasked: Tensor) -> Tensor:
        among = (-confidence).masked_fill(~unmasked, -torch.inf).softmax(1)
        return most * among.nan_to_num(0.0)  # (B, L); 0 in a row without unmasked tokens
