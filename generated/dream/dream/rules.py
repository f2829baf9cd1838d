"""Rules of the samplers of dream: order entropy and margin, tokens top_k and temperature."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from .ops import categorical, in_pieces


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
class TopK:
    """token ~ softmax(logits / temperature), among the k likeliest (arXiv:1805.04833)."""

    k: int = 1  # number of tokens kept; 1 is greedy; in [1, inf)
    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        best, ids = logits.topk(min(self.k, logits.shape[-1]), dim=-1)  # (N, k)
        p = (best / self.temperature).softmax(-1)
        return ids.gather(1, categorical(p, rng)[:, None])[:, 0]


@dataclass(frozen=True)
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        return categorical((logits / self.temperature).softmax(-1), rng)
