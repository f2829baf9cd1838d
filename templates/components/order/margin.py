"""The positions with the largest margin between the two likeliest tokens first.

Paper: arXiv:2502.06768 (Kim et al., top-K probability margin)
Also known as: topk_margin, top_k_margin, margin_confidence, confidence_margin, prob_diff,
    prob_margin, top_prob_margin
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from ..ops import in_pieces

EXACT_AT = {}  # at any values


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
