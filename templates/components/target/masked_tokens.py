"""p(x_0,i | x_t) at the masked positions; other tokens are unchanged.

Paper: arXiv:2406.07524 (MDLM, the SUBS parameterisation)
Also known as: subs, subs_parameterization, subs_parameterisation, mask_tokens, masked, masked_lm,
    mlm, mdlm, x0, x0_prediction, mask_prediction
"""

from torch import Tensor

from ..types import TokenPositions


def masked_tokens(clean: Tensor, masked: Tensor) -> TokenPositions:
    """The token of x_0 at each masked position."""
    row, col = masked.nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
