"""The sites where the network is surest go first.

Paper: arXiv:2202.04200 (MaskGIT); arXiv:2502.09992 (LLaDA, low-confidence remasking)
Also known as: low_confidence, confidence_based, top_prob, top_probability, max_prob, maskgit,
    maskgit_plus, topk, conf
"""

from dataclasses import dataclass

from torch import Generator, Tensor

EXACT = True


@dataclass(frozen=True)
class Confidence:
    """max_v p(v | x_t): the surest sites go first (MaskGIT, arXiv:2202.04200)."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        return logits.softmax(-1).amax(-1)  # (N, V) -> (N,)
