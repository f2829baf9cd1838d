"""Unmasked tokens of low confidence are masked again with higher probability.

Paper: arXiv:2503.00307 (ReMDM, the confidence-based schedule)
Also known as: remdm_conf, remdm_confidence, conf

Differs:
    low_confidence: LLaDA's is a sampler, `kind: drawn_confidence`; here `confidence` masks unmasked
        tokens again (ReMDM)
    random: LLaDA's is a sampler, `kind: scheduled_budget, order: random`
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RemaskConfidence:
    """sigma_i = softmax_i(-p_i) (1 - alpha(s)) / alpha(t), over the unmasked tokens of a row.

    p_i is the probability of the token when it was unmasked (ReMDM, arXiv:2503.00307). Masked
    positions have sigma = 0, so the noise level lags the schedule by at most one token per step.
    """

    def __call__(self, most: Tensor, confidence: Tensor, unmasked: Tensor) -> Tensor:
        among = (-confidence).masked_fill(~unmasked, -torch.inf).softmax(1)
        return most * among.nan_to_num(0.0)  # (B, L); 0 in a row without unmasked tokens
