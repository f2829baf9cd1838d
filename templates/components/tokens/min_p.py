"""Drawn among the tokens with p >= share * max p.

Paper: arXiv:2407.01082 (Nguyen et al., min-p sampling)
Also known as: minp, min_p_sampling
    share: min_p, minp, p, ratio, threshold
"""

from dataclasses import dataclass

from torch import Generator, Tensor

from ..ops import categorical

EXACT_AT = {"share": 0, "temperature": 1}


@dataclass(frozen=True)
class MinP:
    """Tokens with p(v) >= share * max p are kept (min-p, arXiv:2407.01082)."""

    share: float = 0.1  # share of the largest probability; in [0, 1]
    temperature: float = 1.0  # applied before the cut; below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        p = (logits / self.temperature).softmax(-1)  # (N, V)
        kept = p.masked_fill(p < self.share * p.amax(-1, keepdim=True), 0.0)
        return categorical(kept, rng)
