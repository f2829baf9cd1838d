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

from dataclasses import dataclass

from torch import Generator, Tensor

EXACT_AT = {}  # at any values


@dataclass(frozen=True)
class Confidence:
    """max_v p(v | x_t), the highest first (LLaDA, arXiv:2502.09992, with greedy tokens).

    The score depends neither on the temperature or cut of `tokens` nor on the drawn token.
    """

    def __call__(self, logits: Tensor, position: Tensor, rng: Generator) -> Tensor:
        return logits.softmax(-1).amax(-1)  # (N, V) -> (N,)
