"""The corrupted states of a distribution: found with the package's own `corrupt`, and how likely.

A state is a row of `Noised` without its real numbers, which must follow from it or from x and t.
"""

from __future__ import annotations

import inspect
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .calls import rows_of
from .distinct_rows import distinct_rows
from .law_files import NoLaw
from .state_fields import OF_BOTH, OF_TIME, RANDOM, draw, kinds, lines, settled, stacked, whole
from .toy_distribution import PAD, V

if TYPE_CHECKING:
    from .method import Method

DRAWS = 500  # of each sequence at each time
TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
BASE = V + 2  # of the number that stands for a row of tokens


class States:
    """All corrupted states of some examples: row i is the state `z[i]` of the sequence `x[i]`.

    `x.index` is the index of the sequence in the examples. `closed`: were all combinations of
    what happens at each position tried?
    """

    def __init__(self, m: Method, x: Any, z: Any, closed: bool):
        self.m, self.x, self.z, self.closed = m, x, z, closed

    def p(self, t: float) -> Tensor:
        """P(z | x, t) of each row by the process' `likelihood`, float64."""
        return likelihood(self.m, self.z, self.x, t)

    def total(self, t: float) -> Tensor:
        """The probability of all states of each sequence."""
        count = int(self.x.index.max()) + 1
        return torch.zeros(count, dtype=torch.float64).index_add(0, self.x.index, self.p(t))


def likelihood(m: Method, z: Any, x: Any, t: float) -> Tensor:
    """P(z | x, t), (B,), float64, as the process states it."""
    time = torch.full((len(x.tokens), 1), t, dtype=torch.float64)
    if OF_TIME in kinds(m).values():
        z = draw(m, x, time)._replace(**settled(m, z))
    value = m.call_process("likelihood", m.scope(z=z, x=x, t=time)).double()
    return value.reshape(len(x.tokens), -1).expand(len(x.tokens), 1)[:, 0]


def unstatable(m: Method) -> str:
    """Why the states of the process can't be found; "" if they can."""
    if not m.states_likelihood:
        return NoLaw("the process draws the corrupted tokens, and states no `likelihood(z, x, t)`")
    return no_fixed_states(m)


def no_fixed_states(m: Method) -> str:
    """Why a state does not follow from its fields that are not real numbers; "" if it does."""
    process = m.part("noise")
    wires = {*inspect.signature(process.corrupt).parameters}
    if "model" in wires:
        return NoLaw("the process reads the model: its corrupted states depend on it")
    x = m.examples(*m.toy_distribution().batch())
    drawn = draw(m, x, torch.full((len(x.tokens), 1), TIMES[2]))
    for name, a in whole(drawn).items():
        if len(a) != len(x.tokens):
            return NoLaw(f"field `{name}` of `Noised` has no row for each sequence")
    for name, kind in kinds(m).items():
        if kind == RANDOM:
            why = "is a random real number: states are countless"
            return NoLaw(f"field `{name}` of `Noised` {why}")
        if kind == OF_BOTH:
            why = "depends on what is corrupted and on the time: it is unknown at other times"
            return NoLaw(f"field `{name}` of `Noised` {why}")
    return ""


def find(m: Method, x: Any) -> States:
    """The states of some examples: those drawn, and all combinations of their positions."""
    rows = torch.arange(len(x.tokens)).repeat_interleave(DRAWS)
    drawn = [
        draw(m, rows_of(x, rows), torch.full((len(rows), 1), t), seed)
        for seed, t in enumerate(TIMES)
    ]
    which, z = distinct(rows.repeat(len(TIMES)), stacked(drawn))
    closed = all(v.shape[1:] == x.tokens.shape[1:] for v in whole(z).values())
    closed = closed and torch.equal(z.valid, x.valid[which])  # each position by itself
    closed = closed and settled(m, z).keys() == whole(z).keys()
    if closed:
        which, z = combinations(which, z)
    of = rows_of(x, which)._replace(index=which)
    found = States(m, of, z, closed)
    possible = torch.stack([found.p(t) for t in TIMES]).sum(0) > 0
    of, z = rows_of(of, possible)._replace(index=which[possible]), rows_of(z, possible)
    return States(m, of, z, closed)


def distinct(which: Tensor, z: Any) -> tuple[Tensor, Any]:
    """The distinct states of each sequence."""
    _, inverse = distinct_rows(lines(which, z))
    first = torch.full((int(inverse.max()) + 1,), len(inverse))
    first.scatter_reduce_(0, inverse, torch.arange(len(inverse)), "amin")
    return which[first], rows_of(z, first)


def combinations(which: Tensor, z: Any) -> tuple[Tensor, Any]:
    """All combinations of what the states of a sequence have at each position."""
    fields = whole(z)
    columns = torch.stack([a.long() for a in fields.values()], -1)  # (R, L, fields)
    of, made = [], []
    for i in which.unique().tolist():
        here = columns[which == i]
        each = [distinct_rows(here[:, j])[0].tolist() for j in range(here.shape[1])]
        found = [*product(*each)]
        of += [i] * len(found)
        made.append(torch.tensor(found))
    values = torch.cat(made).unbind(-1)
    first = torch.zeros(len(of), dtype=torch.long)
    fresh = {n: v.to(a.dtype) for (n, a), v in zip(fields.items(), values, strict=True)}
    return torch.tensor(of), rows_of(z, first)._replace(**fresh)


def number(tokens: Tensor) -> Tensor:
    """A number for each row of tokens, (B,); PAD at the end does not count."""
    place = BASE ** torch.arange(tokens.shape[1])
    return ((tokens - PAD).remainder(BASE) * place).sum(1)


def seen(z: Any) -> Tensor:
    """The tokens that the model sees, (B, L)."""
    return z.tokens.masked_fill(~z.valid, PAD)
