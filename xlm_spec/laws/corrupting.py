"""The package's corruption, called at chosen sequences and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .calls import call
from .toy_distribution import LONGEST, generator

if TYPE_CHECKING:
    from .method import Method


def selected(m: Method, x, t: Tensor, seed: int = 0) -> Tensor:
    """The set that `select_tokens` selects in each row; numbers, if it has several kinds."""
    scope = m.scope(x=x, t=t, rng=generator(seed))
    return call(m.part("noise").select_tokens, scope, getattr(m.noise_config, "count", None))


def corrupt(m: Method, x, corrupted: Tensor, t: Tensor | None = None):
    """The corrupted batch, by `corrupt` of the package."""
    t = torch.full((len(x.tokens), 1), 0.5) if t is None else t
    scope = m.scope(x=x, corrupted=corrupted, rng=generator(), t=t)
    return call(m.part("noise").corrupt, scope, getattr(m.noise_config, "process", None))


def initial(m: Method, x):
    """The initial state of samplers, from `prior` of the package."""
    scope = m.scope(x=x, rng=generator(8))
    return call(m.part("noise").prior, scope, getattr(m.noise_config, "process", None))


def lengths(m: Method) -> list[int]:
    """The index of a sequence of each length."""
    sequences = m.toy_distribution().sequences
    return [next(i for i, x in enumerate(sequences) if len(x) == n) for n in range(1 + LONGEST)]


def middle(m: Method) -> float:
    """The time at which half of the tokens are corrupted."""
    if m.schedule is None:
        return 0.5
    return float(m.schedule.inverse(torch.tensor(0.5, dtype=torch.float64)))


def early_and_late(m: Method) -> list[tuple[str, float]]:
    """A time with few and one with many corrupted tokens, each with its description."""
    if m.schedule is None:
        return [(f"at t = {t}", t) for t in (0.3, 0.8)]
    alphas = torch.tensor([0.7, 0.25], dtype=torch.float64)
    times = m.schedule.inverse(alphas).tolist()
    return [(f"at alpha = {a:.2g}", t) for a, t in zip(alphas.tolist(), times, strict=True)]
