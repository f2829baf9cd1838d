"""p(x_0,i | x_t) at the masked sites; visible tokens are kept.

Paper: arXiv:2406.07524 (MDLM, the SUBS parameterisation)
Also known as: subs, subs_parameterization, subs_parameterisation, mask_tokens, masked, masked_lm,
    mlm, mdlm, x0, x0_prediction, mask_prediction
"""

from torch import Tensor

from ..types import TokenSites


def masked_tokens(clean: Tensor, masked: Tensor) -> TokenSites:
    """At each masked site the token that stood there."""
    row, col = masked.nonzero(as_tuple=True)
    return TokenSites(row, col, clean[row, col])
