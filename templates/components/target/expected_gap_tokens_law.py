"""The law of `expected_gap_tokens`: the mean of the missing tokens over all sets of dropped tokens.

All sets of the same size that leave the same tokens, with the fixed ones at the same places.
"""

from itertools import combinations

from torch import Tensor

from .gap_tokens_law import Gaps
from .gap_tokens_law import targets as missing_tokens


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Gaps:
    positions = [j for j, v in enumerate(valid.tolist()) if v]

    def left(dropped: tuple[int, ...]) -> list[tuple[int, bool]]:
        return [(int(tokens[j]), bool(fixed[j])) for j in positions if j not in dropped]

    free = [j for j in positions if not fixed[j]]
    sets = [s for s in combinations(free, len(corrupted)) if left(s) == left(tuple(corrupted))]
    number: dict[tuple[int, int], float] = {}
    for dropped in sets:
        for pair in missing_tokens(tokens, valid, fixed, list(dropped)).missing:
            number[pair] = number.get(pair, 0.0) + 1 / len(sets)
    gaps = missing_tokens(tokens, valid, fixed, corrupted)
    return Gaps(gaps.open, [*number], [*number.values()])
