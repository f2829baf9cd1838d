"""Tokens that were written with little confidence are masked again first.

Paper: arXiv:2503.00307 (ReMDM, the confidence-based schedule)
Also known as: remdm_conf, remdm_confidence, conf, low_confidence
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RemaskConfidence:
    """sigma_i = softmax_i(-p_i) (1 - alpha(s)) / alpha(t), over the written tokens of a row.

    p_i is the probability of the token when it was written (ReMDM, arXiv:2503.00307). Masked sites
    have sigma = 0, so the noise level falls behind the schedule by at most one token a step.
    """

    def __call__(self, most: Tensor, confidence: Tensor, written: Tensor) -> Tensor:
        among = (-confidence).masked_fill(~written, -torch.inf).softmax(1)
        return most * among.nan_to_num(0.0)  # (B, L); a row with nothing written has no softmax
