"""The law of `wrong_tokens`: of each free position whether its token is wrong.

What the model filled in is not known here: `targets` is that of the right tokens.
"""

from torch import Tensor


def targets(
    tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]
) -> list[tuple[int, bool]]:
    free = [j for j in range(len(tokens)) if valid[j] and not fixed[j]]
    return [(j, False) for j in free]
