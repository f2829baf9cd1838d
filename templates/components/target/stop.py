"""Is nothing missing?

Paper: arXiv:2505.05755 (ILM, the stopping classifier)
Also known as: done, stopping, complete, length, eos, stop_classifier, stopping_classifier,
    is_complete
"""

from torch import Tensor

from ..types import Complete


def stop(dropped: Tensor) -> Complete:
    """Rows of which nothing was dropped are complete, (B,)."""
    return Complete(~dropped.any(1))
