"""The sites where the likeliest token is furthest ahead of the second go first.

Paper: arXiv:2502.06768 (Kim et al., top-K probability margin)
Also known as: topk_margin, top_k_margin, margin_confidence, confidence_margin, prob_diff,
    prob_margin, top_prob_margin
"""

from dataclasses import dataclass

from torch import Generator, Tensor

EXACT = True


@dataclass(frozen=True)
class Margin:
    """p(first | x_t) - p(second | x_t): the clearest sites go first (arXiv:2502.06768)."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        first, second = logits.softmax(-1).topk(2, dim=-1).values.unbind(-1)
        return first - second  # (N, V) -> (N,)
