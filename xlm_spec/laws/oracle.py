"""The exact model of a method, built from what its parts state.

A process states P(z | x, t) of a corrupted state z, a loss its minimiser. The package's own targets
are evaluated at every (x, z), and their tokens are counted: per state that the model sees, or
without the token at the position of the target.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .corruptions import every_corruption, probability_of, time_grid, tokens_seen
from .law_files import NoLaw
from .models import UNIFORM, perturbed
from .pinning import pinned
from .states import number
from .toy_distribution import PAD, V

if TYPE_CHECKING:
    from .method import Method
    from .toy_distribution import ToyDistribution

POSITIONS = ("row", "col", "token")  # of a target that is a token at some positions
MODEL = ("self", "tokens", "valid", "t")  # what the exact model reads
ABSENT = PAD + 1  # in place of a token that does not count


def unbuildable(m: Method) -> str:
    """Why the exact model can't be built; "" if it can."""
    losses = [loss["kind"] for loss in m.plan["method"]["loss"]]
    unknown = [loss for loss in losses if not m.plan["minimisers"].get(loss)]
    if unknown:
        return NoLaw(f"loss {unknown[0]} declares no MINIMISER")
    if len({m.plan["minimisers"][loss] for loss in losses}) > 1 or len(m.heads) > 1:
        return NoLaw("its losses have several minimisers or heads")
    functions = [f for _, f in losses_of(m)]
    if any(fields_of(f)[:3] != POSITIONS for f in functions):
        return NoLaw("its target is not a token at some positions")
    if not {*inspect.signature(m.module.Model.forward).parameters} <= {*MODEL}:
        return NoLaw("the backbone reads more than tokens, valid and t")
    return ""


def fields_of(loss: Any) -> tuple[str, ...]:
    """The fields of the target of a loss."""
    kind = inspect.signature(loss).parameters["target"].annotation
    return tuple(getattr(kind, "_fields", ()))


def losses_of(m: Method) -> list[tuple[str, Any]]:
    """The losses that objective.py calls, by name."""
    listed = vars(m.part("loss"))
    called = vars(m.part("objective"))
    return [
        (n, f)
        for n, f in called.items()
        if listed.get(n) is f
        and inspect.isfunction(f)
        and "target" in inspect.signature(f).parameters
    ]


class Tables:
    """The counts behind the exact model of a distribution, by time; shared by its perturbations."""

    def __init__(self, m: Method, w: ToyDistribution, prompt: int, whole: bool):
        """`whole`: predictions see every token; otherwise not the one at their position."""
        self.m, self.whole, self.prompt, self.w = m, whole, prompt, w
        self.x, self.state = every_corruption(m, w, prompt)
        self.tokens = tokens_seen(m, self.x, self.state)  # (R, L)
        every = [self.key(self.tokens, i) for i in range(self.tokens.shape[1])]
        self.keys, self.group = zip(*(k.unique(return_inverse=True) for k in every), strict=True)
        self.fixed: list | None = None
        self.at = cache(self.count if m.timed else lambda _: self.over_times())

    def key(self, tokens: Tensor, position: int) -> Tensor:
        """A number for what the prediction at a position may depend on, (B,)."""
        known = tokens.clone()
        if self.m.causal:
            known[:, position + 1 :] = PAD
        if not self.whole:
            known[:, position] = ABSENT
        return number(known)

    def over_times(self) -> list[Tensor]:
        """The mean over all times, for a model that does not read the time."""
        found = [[weight * a for a in self.count(t)] for t, weight in time_grid(self.m)]
        return [torch.stack(parts).sum(0) for parts in zip(*found, strict=True)]

    def count(self, t: float) -> list[Tensor]:
        """For each position: the mass of each token, (groups, V)."""
        p = self.w.p[self.x.index] * probability_of(self.m, self.x, self.state, t)
        found = []
        for i, keys in enumerate(self.keys):
            table = torch.zeros(len(keys) * V, dtype=torch.float64)
            for rows, cell, weight in self.cells(t)[i]:
                table.index_add_(0, cell, p[rows] * weight)
            found.append(table.view(-1, V))
        return found

    def cells(self, t: float) -> list[list[tuple[Tensor, Tensor, Tensor]]]:
        """For each position: rows with a target there, its cell in the table, its weight."""
        if self.fixed is None or self.whole:  # weights may depend on the time
            self.fixed = [[] for _ in self.keys]
            for target, weight in probed(self.m, self.x, self.state, t, self.whole):
                for i, cells in enumerate(self.fixed):
                    here = target.col == i
                    row, token = target.row[here], target.token[here]
                    cells.append((row, self.group[i][row] * V + token, weight[row, i]))
        return self.fixed

    def predict(self, tokens: Tensor, t: float) -> Tensor:
        """The mass of each token, (B, L, V); 0 at impossible inputs."""
        out = torch.zeros(*tokens.shape, V, dtype=torch.float64)
        for i, (keys, table) in enumerate(zip(self.keys, self.at(t), strict=True)):
            if i < tokens.shape[1]:
                wanted = self.key(tokens, i)
                place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
                found = keys[place] == wanted
                out[found, i] = table[place[found]]
        return out


class Exact:
    """The exact model: p(target | what the model sees, t), perturbed; one head."""

    def __init__(self, tables: Tables, blur: float, tilt: float, heads: set[str]):
        self.tables, self.blur, self.tilt = tables, blur, tilt
        for head in heads:
            setattr(self, head, lambda hidden: hidden)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        known = tokens.masked_fill(~valid, PAD)
        time = torch.zeros(len(tokens)) if t is None else t.reshape(len(tokens), -1)[:, 0]
        out = torch.zeros(*tokens.shape, V, dtype=torch.float64)
        for at in time.unique():
            rows = (time == at).nonzero()[:, 0]
            number_of = number(known[rows])
            each, which = number_of.unique(return_inverse=True)
            first = torch.zeros(len(each), dtype=torch.long).scatter_(0, which, rows)
            mass = self.tables.predict(known[first], float(at))
            p = mass / mass.sum(-1, keepdim=True).clamp(min=1e-300)
            out[rows] = perturbed(p, UNIFORM, self.blur, self.tilt).log()[which]
        return out

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list:
        return []

    def extend_cache(self, tokens: Tensor, place: Tensor, cache: list) -> Tensor:
        return self(tokens, tokens >= 0)[torch.arange(len(place)), place]


class Blank:
    """A model without an output, for objectives whose losses are replaced."""

    def __call__(self, tokens: Tensor, *_: Any) -> Tensor:
        return torch.zeros(*tokens.shape, 1, dtype=torch.float64)


def probed(m: Method, x: Any, state: Any, t: float, weighted: bool) -> Iterator[tuple[Any, Tensor]]:
    """The target of each loss at these states, and its weight at each position, (B, L).

    Without `weighted` each weight is one: nothing but the state decides the minimiser.
    """
    width = tokens_seen(m, x, state).shape[1]
    for name, _ in losses_of(m):
        targets: list[Any] = []
        columns = []
        for column in range(width):
            with replaced(m, name, column, targets), pinned(m, state, t):
                value = getattr(m.part("objective"), m.minimised)(Blank(), x, m.config, rng())
            total = torch.stack([*value.values()]).sum(0) if isinstance(value, dict) else -value
            columns.append(total.double())
            if not weighted:
                break
        if targets:
            ones = torch.ones(len(x.tokens), width, dtype=torch.float64)
            yield targets[0], torch.stack(columns, 1) if weighted else ones


@contextmanager
def replaced(m: Method, name: str, column: int, targets: list[Any]) -> Iterator[None]:
    """The loss `name` records its target and is 1 at one column; all other losses are 0."""
    part = m.part("objective")
    originals = losses_of(m)

    def probe(f: Any, here: bool) -> Any:
        parameters = [*inspect.signature(f).parameters]

        def value(*args: Any, **options: Any) -> Tensor:
            given = dict(zip(parameters, args, strict=False)) | options
            out = torch.zeros(given["hidden"].shape[:2], dtype=torch.float64)
            if here:
                targets.append(given["target"])
                out[:, column] = 1
            return out

        return value

    try:
        for n, f in originals:
            setattr(part, n, probe(f, n == name))
        yield
    finally:
        for n, f in originals:
            setattr(part, n, f)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)
