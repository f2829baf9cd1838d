"""Counts of outcomes, and whether samples are new."""

from collections.abc import Callable

import torch
from torch import Tensor

from .distinct_rows import distinct_rows
from .law import Figure
from .toy_distribution import PAD


def bins(t: Tensor, parts: int) -> Tensor:
    return torch.bincount((t.flatten() * parts).long().clamp(max=parts - 1), minlength=parts)


def count_outcomes(tokens: Tensor, p: dict[tuple[int, ...], float]) -> tuple[Tensor, Tensor]:
    """Counts of each outcome in (B, L), the last entry for any other; its probabilities."""
    index = {outcome: i for i, outcome in enumerate(p)}
    counts = torch.zeros(len(p) + 1, dtype=torch.float64)
    lines, which = distinct_rows(tokens)
    for line, count in zip(lines.tolist(), which.bincount().tolist(), strict=True):
        counts[index.get(tuple(v for v in line if v != PAD), len(p))] += count
    return counts, torch.tensor([*p.values(), 0.0], dtype=torch.float64)


def new_samples(sample: Callable[[int, int], Tensor], of: str = "") -> Figure:
    """`sample(seed, global_seed)` depends on the first only. The control: the same seed twice."""

    def wrong(other: int) -> float:
        first = sample(0, 0)
        depends = not torch.equal(first, sample(0, 1))
        return float(depends) + float(torch.equal(first, sample(other, 0)))

    return Figure(wrong(1), 0, wrong(0), of)
