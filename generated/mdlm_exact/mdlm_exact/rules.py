"""Rules of the samplers of mdlm_exact: order confidence, tokens temperature and top_k."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from .ops import categorical, in_pieces


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
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        return categorical((logits / self.temperature).softmax(-1), rng)


@dataclass(frozen=True)
class TopK:
    """token ~ softmax(logits / temperature), among the k likeliest (arXiv:1805.04833)."""

    k: int = 1  # number of tokens kept; 1 is greedy; in [1, inf)
    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        best, ids = logits.topk(min(self.k, logits.shape[-1]), dim=-1)  # (N, k)
        p = (best / self.temperature).softmax(-1)
        return ids.gather(1, categorical(p, rng)[:, None])[:, 0]
