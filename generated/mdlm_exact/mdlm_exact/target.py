"""What the network of mdlm_exact is asked for: target masked_tokens."""

from torch import Tensor

from .types import TokenSites


def masked_tokens(clean: Tensor, masked: Tensor) -> TokenSites:
    """At each masked site the token that stood there."""
    row, col = masked.nonzero(as_tuple=True)
    return TokenSites(row, col, clean[row, col])
