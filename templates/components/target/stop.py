"""Whether the sequence is complete.

Paper: arXiv:2505.05755 (ILM, the stopping classifier)
Also known as: done, stopping, complete, stop_classifier, stopping_classifier,
    is_complete
Differs:
    length: a predicted length (CMLM) is not available; the nearest is `stop`, which predicts
        only whether anything is missing
    eos: a token that ends the sequence or a gap is not available; the nearest is `stop`, which
        predicts whether anything is missing at all
"""

from torch import Tensor

from ..types import Complete


def stop(dropped: Tensor) -> Complete:
    """A sequence is complete if nothing was dropped, (B,)."""
    return Complete(~dropped.any(1))
