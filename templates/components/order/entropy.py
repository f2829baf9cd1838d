"""The positions with the lowest entropy first.

Paper: arXiv:2508.15487 (Dream, entropy remasking)
Also known as: neg_entropy, negative_entropy, low_entropy, min_entropy
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from ..ops import in_pieces

EXACT_AT = {}  # at any values


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
