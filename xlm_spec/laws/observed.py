"""What the losses of a package read and return, in an evaluation of its objective.

The losses are called with a small model that records the heads that they call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .toy_distribution import generator

if TYPE_CHECKING:
    from .method import Method

Shape = tuple[int, ...]
Loss = Callable[..., Any]


@dataclass
class Observed:
    """One call of a loss: its target, the shapes of its hidden states and of its value.

    `hidden` is None if the loss does not read them; `rows` is the number of sequences. `heads`
    are the heads that it calls, with the shapes of their input and of their output.
    `raised` is the exception that it ends with.
    """

    target: Any
    rows: int
    hidden: Shape | None
    heads: dict[str, tuple[Shape, Shape]] = field(default_factory=dict)
    value: Shape | None = None
    raised: Exception | None = None


class Recorder:
    """A model that records the shapes of what its heads read and return."""

    def __init__(self, model: Any, heads: set[str]):
        self.model, self.heads = model, heads
        self.calls: dict[str, tuple[Shape, Shape]] = {}

    def __call__(self, *args: Any, **options: Any) -> Tensor:
        return self.model(*args, **options)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.model, name)
        return RecordedHead(found, name, self.calls) if name in self.heads else found


class RecordedHead:
    """A head that records the shapes of its last call."""

    def __init__(self, head: Any, name: str, calls: dict[str, tuple[Shape, Shape]]):
        self.head, self.name, self.calls = head, name, calls

    def __call__(self, hidden: Tensor, *more: Any) -> Any:
        out = self.head(hidden, *more)
        self.calls[self.name] = tuple(hidden.shape), shape_of(out)
        return out

    def __getattr__(self, name: str) -> Any:
        return getattr(self.head, name)


def losses_of(m: Method) -> list[tuple[str, Loss]]:
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


def arguments(loss: Loss, args: tuple, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name."""
    return inspect.signature(loss).bind(*args, **options).arguments


@contextmanager
def with_losses(m: Method, change: Callable[[str, Loss], Loss]) -> Iterator[None]:
    """The objective calls `change(name, loss)` in place of each loss."""
    part, originals = m.part("objective"), losses_of(m)
    try:
        for name, f in originals:
            setattr(part, name, change(name, f))
        yield
    finally:
        for name, f in originals:
            setattr(part, name, f)


def observed(m: Method) -> dict[str, Observed]:
    """The losses of the objective and of the bound, by name; of each the last call."""
    return m.once(("observed",), lambda: observe(m))


def observe(m: Method) -> dict[str, Observed]:
    model = Recorder(m.small_model(), m.heads)
    found: dict[str, Observed] = {}

    def recording(name: str, f: Loss) -> Loss:
        def value(*args: Any, **options: Any) -> Tensor:
            given = arguments(f, args, options)
            model.calls = {}
            hidden = shape_of(given["hidden"]) if "hidden" in given else None
            seen = found[name] = Observed(given["target"], len(x.tokens), hidden)
            try:
                seen.value = shape_of(f(*args, **options))
            except Exception as e:
                seen.raised = e
            seen.heads = model.calls
            return torch.zeros(hidden[:2] if hidden else (seen.rows, 1), dtype=torch.float64)

        return value

    x = m.examples(*m.toy_distribution().batch())
    functions = [getattr(m.module, n, None) for n in ("objective", "log_likelihood_bound")]
    with torch.no_grad(), with_losses(m, recording):
        for function in functions:
            if function:
                function(model, x, m.config, generator())
    return found


def shape_of(value: Any) -> Shape:
    """The shape of a tensor; of anything else the type, which no tensor has."""
    return tuple(value.shape) if isinstance(value, Tensor) else ()
