"""How the samplers of mdlm_samplers choose sites and draw tokens.

Sites random, sites left_to_right, sites confidence, sites margin, sites entropy, tokens
temperature, remasking cap, remasking rescale, remasking confidence.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Random:
    """A uniform score: sites go in random order."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        return torch.rand(len(logits), generator=rng, device=logits.device)  # (N,)


@dataclass(frozen=True)
class LeftToRight:
    """Sites go in reading order."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        return -place.to(logits.dtype)  # (N,)


@dataclass(frozen=True)
class Confidence:
    """max_v p(v | x_t): the surest sites go first (MaskGIT, arXiv:2202.04200)."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        return logits.softmax(-1).amax(-1)  # (N, V) -> (N,)


@dataclass(frozen=True)
class Margin:
    """p(first | x_t) - p(second | x_t): the clearest sites go first (arXiv:2502.06768)."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        first, second = logits.softmax(-1).topk(2, dim=-1).values.unbind(-1)
        return first - second  # (N, V) -> (N,)


@dataclass(frozen=True)
class Entropy:
    """sum_v p log p, minus the entropy of p(. | x_t): the most certain sites go first."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        p = logits.softmax(-1)
        return p.xlogy(p).sum(-1)  # (N, V) -> (N,)


@dataclass(frozen=True)
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        p = (logits / self.temperature).softmax(-1)
        return torch.multinomial(p, 1, generator=rng)[:, 0]


@dataclass(frozen=True)
class Cap:
    """sigma = min(rate, (1 - alpha(s)) / alpha(t)) (ReMDM, arXiv:2503.00307)."""

    rate: float = 0.02  # probability of a written token, a step; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, written: Tensor) -> Tensor:
        return most.clamp(max=self.rate).expand(written.shape)  # (B, 1) -> (B, L)


@dataclass(frozen=True)
class Rescale:
    """sigma = share (1 - alpha(s)) / alpha(t) (ReMDM, arXiv:2503.00307)."""

    share: float = 0.05  # of the largest probability; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, written: Tensor) -> Tensor:
        return (self.share * most).expand(written.shape)  # (B, 1) -> (B, L)


@dataclass(frozen=True)
class RemaskConfidence:
    """sigma_i = softmax_i(-p_i) (1 - alpha(s)) / alpha(t), over the written tokens of a row.

    p_i is the probability of the token when it was written (ReMDM, arXiv:2503.00307). Masked sites
    have sigma = 0, so the noise level falls behind the schedule by at most one token a step.
    """

    def __call__(self, most: Tensor, confidence: Tensor, written: Tensor) -> Tensor:
        among = (-confidence).masked_fill(~written, -torch.inf).softmax(1)
        return most * among.nan_to_num(0.0)  # (B, L); a row with nothing written has no softmax
