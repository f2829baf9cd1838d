"""The fields of corrupted sequences: whole numbers, and real ones that follow from them or from t.

A state is told apart by its other fields. Its real numbers are known at a time if they follow from
x and t, such as a noise level, or from x and the other fields, such as a share of dropped tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .calls import call, rows_of
from .distinct_rows import distinct_rows
from .toy_distribution import generator

if TYPE_CHECKING:
    from .method import Method

ROWS = 100  # draws of each sequence at each time
OF_TIME, OF_STATE, OF_BOTH, RANDOM = "of time", "of state", "of both", "of chance"


def draw(m: Method, x: Any, t: Tensor, seed: int = 0) -> Any:
    """`Noised`, drawn by the package at these times, (B, 1)."""
    scope = m.scope(x=x, t=t, rng=generator(seed))
    if m.pinnable:
        settings = getattr(m.noise_config, "count", None)
        scope["corrupted"] = call(m.part("noise").select_tokens, scope, settings)
    return m.call_process("corrupt", scope)


def is_real(value: Any) -> bool:
    return torch.is_tensor(value) and value.is_floating_point()


def whole(z: Any) -> dict[str, Tensor]:
    """The fields of states that are not real numbers."""
    return {
        n: a for n, a in zip(z._fields, z, strict=True) if torch.is_tensor(a) and not is_real(a)
    }


def stacked(several: list) -> Any:
    """The rows of several `Noised`, one after the other."""
    columns = zip(*several, strict=True)
    return type(several[0])(*(torch.cat(c) if torch.is_tensor(c[0]) else c[0] for c in columns))


def lines(which: Tensor, z: Any) -> Tensor:
    """A row of numbers for each state, with the index of its sequence."""
    return torch.cat([which[:, None], *(a.flatten(1).long() for a in whole(z).values())], 1)


def settled(m: Method, z: Any) -> dict[str, Tensor]:
    """The fields of states that do not depend on the time, by name."""
    kept = [name for name, kind in kinds(m).items() if kind == OF_STATE]
    return whole(z) | {name: getattr(z, name) for name in kept}


def kinds(m: Method) -> dict[str, str]:
    """What each field of real numbers follows from, by name."""
    return m.once(("real fields",), lambda: dict(found(m)))


def found(m: Method) -> Iterator[tuple[str, str]]:
    """From draws of every sequence at two times."""
    x = m.examples(*m.toy_distribution().batch())
    rows = torch.arange(len(x.tokens)).repeat_interleave(ROWS)
    drawn = [
        draw(m, rows_of(x, rows), torch.full((len(rows), 1), t), seed)
        for seed, t in enumerate((0.3, 0.7))
    ]
    _, by_state = distinct_rows(lines(rows.repeat(2), stacked(drawn)))
    one, other = by_state.split(len(rows))
    for name in drawn[0]._fields:
        a, b = (getattr(z, name) for z in drawn)
        if not is_real(a):
            continue
        if len(a) != len(rows) or all(follows(v, rows) for v in (a, b)):
            yield name, OF_TIME
        elif not (follows(a, one) and follows(b, other)):
            yield name, RANDOM
        else:
            yield name, OF_STATE if follows(torch.cat([a, b]), by_state) else OF_BOTH


def follows(values: Tensor, group: Tensor) -> bool:
    """Do the rows of each group have the same values?"""
    first = torch.full((int(group.max()) + 1,), len(group))
    first.scatter_reduce_(0, group, torch.arange(len(group)), "amin")
    return torch.equal(values, values[first[group]])
