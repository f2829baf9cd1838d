"""The mean over the corrupted tokens of a sequence in place of the sum; no bound.

Paper: arXiv:1810.04805 (BERT); arXiv:1904.09324 (Mask-Predict)
Also known as: masked, masked_mean, mean_over_masked, per_masked_token, mean
Differs:
    masked_mean, mean_over_masked: xlm-core divides by the masks of the batch, a ratio of random
        numbers; here each sequence by its own
"""

from torch import Tensor


def per_masked(corrupted: Tensor) -> Tensor:
    """1 / k with k corrupted tokens, (B, 1); 1 if there is none."""
    return 1 / corrupted.sum(1, keepdim=True).clamp(min=1)
