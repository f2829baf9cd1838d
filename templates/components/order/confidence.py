"""The positions with the highest maximum probability first.

Paper: arXiv:2502.09992 (LLaDA, low-confidence remasking); arXiv:2202.04200 (MaskGIT, differs)
Also known as: confidence_based, top_prob, top_probability, max_prob, topk, conf
Differs:
    low_confidence, maskgit_plus: write `kind: drawn_confidence`, without `order`: LLaDA and Dream
        score by the probability of the drawn token; with greedy tokens, `tokens: {kind: top_k, k:
        1}`, `confidence` is equal
    maskgit: write `kind: drawn_confidence, annealed: true`, without `order`: MaskGIT scores by the
        probability of the drawn token plus annealed Gumbel noise
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from ..ops import in_pieces

EXACT_AT = {}  # at any values


@dataclass(frozen=True)
class Confidence:
    """max_v p(v | x_t), the highest first (LLaDA, arXiv:2502.09992, with greedy tokens).

    The score depends neither on the temperature or cut of `tokens` nor on the drawn token.
    """

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        return in_pieces(lambda logits: logits.softmax(-1).amax(-1), head, hidden)
