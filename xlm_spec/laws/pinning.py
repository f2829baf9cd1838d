"""The package's objective with a given corruption, or with what `corrupt` returned before."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .state_fields import settled

if TYPE_CHECKING:
    from .method import Method

TIMES = ("sample_time", "bound_time")  # functions that draw the times


@contextmanager
def pinned(m: Method, corruption: Any, t: float | Tensor) -> Iterator[None]:
    """The objective makes this corruption, at this time, or at one time per row, (B, 1).

    The corruption is a set of tokens, (B, L), or `Noised`, of which the real numbers that
    follow from the time are replaced.
    """
    part = m.part("objective")
    at = t if isinstance(t, Tensor) else torch.full((1, 1), t, dtype=torch.float64)
    pins: dict[str, Callable] = dict.fromkeys(
        TIMES, lambda x, *_, **__: at.expand(len(x.tokens), 1)
    )
    if isinstance(corruption, Tensor):
        pins["select_tokens"] = lambda *_, **__: corruption
    elif corruption is not None:
        fields = settled(m, corruption)
        corrupt = part.corrupt
        pins["corrupt"] = lambda *args, **given: corrupt(*args, **given)._replace(**fields)
    originals = {n: getattr(part, n) for n in pins if hasattr(part, n)}
    try:
        for name in originals:
            setattr(part, name, pins[name])
        yield
    finally:
        for name, f in originals.items():
            setattr(part, name, f)


@contextmanager
def noised(m: Method, z: Any = None, t: Tensor | None = None) -> Iterator[list]:
    """The list of what `corrupt` returns in the objective; `z` replaces it, `t` the time."""
    part = m.part("objective")
    seen: list = []
    originals = {n: getattr(part, n) for n in ("corrupt", *TIMES) if hasattr(part, n)}

    def corrupt(*args, **parameters):
        seen.append(originals["corrupt"](*args, **parameters) if z is None else z)
        return seen[-1]

    try:
        if "corrupt" in originals:
            part.corrupt = corrupt
        for name in {*TIMES} & {*originals} if t is not None else ():
            setattr(part, name, lambda *_, **__: t)
        yield seen
    finally:
        for name, f in originals.items():
            setattr(part, name, f)


def random_parts(m: Method) -> list[str]:
    """The functions of the objective that sample, besides the noise."""
    part, noise = m.part("objective"), m.part("noise")
    found = [f for f in part.objective.__code__.co_names if callable(getattr(part, f, None))]
    return [
        f
        for f in found
        if not hasattr(noise, f) and "rng" in inspect.signature(getattr(part, f)).parameters
    ]
