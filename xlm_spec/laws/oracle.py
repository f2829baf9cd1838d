"""The exact model of a method, built from what its parts state.

A process states P(z | x, t) of a corrupted state z, a loss its minimiser. The package's own targets
are evaluated at every (x, z). For each head, the targets of the losses that call it are summed:
per state that the model sees, or without the token at the position of the target.
"""

from __future__ import annotations

import inspect
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .corruptions import every_corruption, probability_of, time_grid, tokens_seen
from .law_files import NoLaw
from .minimisers import MINIMISERS, Minimiser
from .observed import losses_of, observed
from .probing import probed
from .states import number
from .toy_distribution import PAD, V

if TYPE_CHECKING:
    from .method import Method
    from .toy_distribution import ToyDistribution

MODEL = ("self", "tokens", "valid", "t", "read")  # what the exact model accepts
ABSENT = PAD + 1  # in place of a token that does not count


def unbuildable(m: Method) -> str:
    """Why the exact model can't be built; "" if it can."""
    return m.once(("unbuildable",), lambda: why_unbuildable(m))


def why_unbuildable(m: Method) -> str:
    declared = m.plan["minimisers"]
    for loss, _ in losses_of(m):
        if declared.get(loss) not in MINIMISERS:
            return NoLaw(f"loss {loss} declares no MINIMISER")
    if not {*inspect.signature(m.module.Model.forward).parameters} <= {*MODEL}:
        return NoLaw("the backbone reads more than tokens, valid and t")
    for loss, seen in observed(m).items():
        if seen.raised:
            return NoLaw(f"loss {loss} raises {type(seen.raised).__name__}: {seen.raised}")
        if seen.hidden is None:
            return NoLaw(f"loss {loss} does not read the hidden states of x_t")
        if len(seen.heads) != 1:
            called = " and ".join(sorted(seen.heads)) or "no head"
            return NoLaw(f"loss {loss} calls {called}, its MINIMISER is the output of one")
        minimiser = MINIMISERS[declared[loss]]
        why = minimiser.misfit(seen.target, seen.hidden)
        if why:
            return NoLaw(f"loss {loss} has the MINIMISER {declared[loss]}, but {why}")
        [(head, (read, returned))] = seen.heads.items()
        if returned != read[:-1] + (() if minimiser.scalar else (V,)):
            return NoLaw(f"head {head} returns {returned} from {read}, not the MINIMISER of {loss}")
    heads = losses_by_head(m)
    for head in sorted(m.heads):
        if head not in heads:
            return NoLaw(f"no loss calls head {head}")
        if len({declared[loss] for loss in heads[head]}) > 1:
            return NoLaw(f"the losses that call head {head} have several minimisers")
    return ""


def losses_by_head(m: Method) -> dict[str, list[str]]:
    """The losses that call each head."""
    found: dict[str, list[str]] = {}
    for loss, seen in observed(m).items():
        for head in seen.heads:
            found.setdefault(head, []).append(loss)
    return found


def table(m: Method, w: ToyDistribution, prompt: int, head: str, flipped: bool) -> Table:
    """The table of a head; `flipped` is that of `built_model`."""
    losses = losses_by_head(m)[head]
    minimiser = MINIMISERS[m.plan["minimisers"][losses[0]]]
    whole = minimiser.whole != flipped
    key = ("table", head, w.sequences[0], len(w.sequences), prompt, whole, whole and m.minimised)
    return m.once(key, lambda: Table(m, w, prompt, losses, minimiser, whole))


class Table:
    """The sums behind the exact output of one head on a distribution, by time."""

    def __init__(
        self,
        m: Method,
        w: ToyDistribution,
        prompt: int,
        losses: list[str],
        minimiser: Minimiser,
        whole: bool,
    ):
        """`whole`: outputs depend on every token; otherwise not on the one at their position."""
        self.m, self.losses, self.minimiser, self.whole = m, losses, minimiser, whole
        self.x, self.state = every_corruption(m, w, prompt)
        self.p = w.p[self.x.index]
        tokens = tokens_seen(m, self.x, self.state)  # (R, L)
        self.shape = tuple(tokens.shape)
        every = [self.key(tokens, i) for i in range(tokens.shape[1])]
        self.keys, self.group = zip(*(k.unique(return_inverse=True) for k in every), strict=True)
        self.fixed: list | None = None
        self.cached = cache(self.sums if m.timed else lambda _: self.over_times())

    def key(self, tokens: Tensor, position: int) -> Tensor:
        """A number for what the output at a position may depend on, (B,)."""
        known = tokens.clone()
        if self.m.causal:
            known[:, position + 1 :] = PAD
        if not self.whole:
            known[:, position] = ABSENT
        return number(known)

    def at(self, t: float) -> list[Tensor]:
        """The sums that the model's output at this time is computed from."""
        return self.cached(t if self.m.timed else 0.0)

    def over_times(self) -> list[Tensor]:
        """The mean over all times, for a model that does not read the time."""
        found = [[weight * a for a in self.sums(t)] for t, weight in time_grid(self.m)]
        return [torch.stack(parts).sum(0) for parts in zip(*found, strict=True)]

    def sums(self, t: float) -> list[Tensor]:
        """For each position: the sums of each group of states, (groups, columns)."""
        p = self.p * probability_of(self.m, self.x, self.state, t)
        columns, found = self.minimiser.columns, []
        for cells, keys in zip(self.cells(t), self.keys, strict=True):
            table = torch.zeros(len(keys) * columns, dtype=torch.float64)
            for rows, cell, amount in cells:
                table.index_add_(0, cell, p[rows] * amount)
            found.append(table.view(-1, columns))
        return found

    def cells(self, t: float) -> list[list[tuple[Tensor, Tensor, Tensor]]]:
        """For each position: rows with a target there, its cell in the table, what it adds."""
        if self.fixed is None or self.whole:  # weights may depend on the time
            self.fixed = [[] for _ in self.keys]
            found = probed(self.m, self.losses, self.x, self.state, t, self.whole)
            for target, weight in found:
                row, col, column, amount = self.minimiser.cells(target, self.shape)
                amount = amount * weight[row, col]
                for i, cells in enumerate(self.fixed):
                    here = col == i
                    group = self.group[i][row[here]]
                    cell = group * self.minimiser.columns + column[here]
                    cells.append((row[here], cell, amount[here]))
        return self.fixed

    def predict(self, tokens: Tensor, t: float) -> Tensor:
        """The sums for these inputs, (B, L, columns); 0 at impossible inputs."""
        out = torch.zeros(*tokens.shape, self.minimiser.columns, dtype=torch.float64)
        for i, (keys, table) in enumerate(zip(self.keys, self.at(t), strict=True)):
            if i < tokens.shape[1]:
                wanted = self.key(tokens, i)
                place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
                found = keys[place] == wanted
                out[found, i] = table[place[found]]
        return out


class Exact:
    """The exact model, perturbed: its hidden states are the exact outputs of its heads."""

    def __init__(self, tables: dict[str, Table], blur: float, tilt: float):
        self.tables, self.blur, self.tilt = tables, blur, tilt
        self.width = 0
        for name, table in tables.items():
            first, scalar = self.width, table.minimiser.scalar
            self.width += 1 if scalar else V
            setattr(self, name, partial(part, first if scalar else slice(first, self.width)))

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None, **_: Any) -> Tensor:
        known = tokens.masked_fill(~valid, PAD)
        time = torch.zeros(len(tokens)) if t is None else t.reshape(len(tokens), -1)[:, 0]
        out = torch.zeros(*tokens.shape, self.width, dtype=torch.float64)
        for at in time.unique():
            rows = (time == at).nonzero()[:, 0]
            out[rows] = self.outputs(known[rows], float(at))
        return out

    def outputs(self, known: Tensor, t: float) -> Tensor:
        """The outputs of all heads at one time, (B, L, D); each distinct row is computed once."""
        each, which = number(known).unique(return_inverse=True)
        first = torch.zeros(len(each), dtype=torch.long)
        first.scatter_(0, which, torch.arange(len(known)))
        outputs = [
            table.minimiser.output(table.predict(known[first], t), self.blur, self.tilt)
            for table in self.tables.values()
        ]
        return torch.cat(outputs, -1)[which]

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list:
        return []

    def extend_cache(self, tokens: Tensor, place: Tensor, cache: list) -> Tensor:
        return self(tokens, tokens >= 0)[torch.arange(len(place)), place]


def part(where: int | slice, hidden: Tensor) -> Tensor:
    """The output of one head, from the outputs of all."""
    return hidden[..., where]
