"""Rules of the samplers of remdm: tokens top_p_below, remasking cap and rescale and confidence."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .ops import categorical


@dataclass(frozen=True)
class TopPBelow:
    """The largest set of likeliest tokens whose mass is at most p, at least one token.

    The nucleus of the code of MDLM, BD3-LM, ReMDM and xlm-core; `top_p` is that of the paper
    (arXiv:1904.09751), usually one token more. Sorts the 1,024 likeliest tokens, and all only if
    these do not exceed p in a row.
    """

    p: float = 0.9  # probability mass kept at most; in (0, 1]
    temperature: float = 1.0  # applied before the cut; below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        every = (logits / self.temperature).softmax(-1)  # (N, V)
        p, ids = every.topk(min(1024, logits.shape[-1]))
        if (p.sum(-1) <= self.p).any():
            p, ids = every.sort(descending=True)
        outside = (p.cumsum(-1) > self.p) & (self.p < 1)
        outside[:, 0] = False
        return ids.gather(1, categorical(p.masked_fill(outside, 0.0), rng)[:, None])[:, 0]


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
