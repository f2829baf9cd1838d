"""Which tokens are wrong, and are to be deleted.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
Also known as: word_del_targets, keep_or_delete
"""

from torch import Tensor

from ..types import Examples, WrongTokens


def wrong_tokens(x: Examples, wrong: Tensor) -> WrongTokens:
    """Whether each free token is wrong."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return WrongTokens(row, col, wrong[row, col])
