"""The ELBO weight divided by the length: each sequence counts alike, at any length; no bound.

Paper: arXiv:2502.09992 (LLaDA, its code for fine-tuning)
Also known as: per_sequence, per_answer, answer_length, sequence_mean, length_normalized
Differs:
    per_sequence, sequence_mean: as dLLM's `sequence` and LLaDA's fine-tuning; a run divides by its
        mean length once more, which only changes the scale
"""

from torch import Tensor

from ..types import Examples

ELBO_WEIGHT = True


def elbo_per_length(rate: Tensor, x: Examples) -> Tensor:
    """rate / n with n free tokens, (B, 1) (LLaDA, arXiv:2502.09992, its code)."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    return rate / n.clamp(min=1)
