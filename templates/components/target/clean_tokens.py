"""p(x_0,i | x_t) at every free position: any token may be corrupted.

Paper: arXiv:2412.10193 (UDLM)
Also known as: all_tokens, original_tokens, denoised_tokens, mean_parameterization, udlm
"""

from torch import Tensor

from ..types import Examples, TokenPositions


def clean_tokens(x: Examples, clean: Tensor) -> TokenPositions:
    """The token of x_0 at each free position."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
