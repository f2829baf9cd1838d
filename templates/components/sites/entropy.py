"""The sites whose token is least uncertain go first.

Paper: arXiv:2508.15487 (Dream, entropy remasking)
Also known as: neg_entropy, negative_entropy, low_entropy, min_entropy
"""

from dataclasses import dataclass

from torch import Generator, Tensor

EXACT = True


@dataclass(frozen=True)
class Entropy:
    """sum_v p log p, minus the entropy of p(. | x_t): the most certain sites go first."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        p = logits.softmax(-1)
        return p.xlogy(p).sum(-1)  # (N, V) -> (N,)
