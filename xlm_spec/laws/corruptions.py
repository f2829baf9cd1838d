"""The corruptions of the toy distribution, all enumerated with their probabilities."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from . import states
from .calls import call, rows_of
from .conditions import other_times
from .law_files import NoLaw
from .toy_distribution import BOS, quadrature

if TYPE_CHECKING:
    from .method import Method
    from .toy_distribution import ToyDistribution


def enumerable(m: Method) -> bool:
    """Can all corruptions be enumerated with their probabilities?"""
    return not unenumerable(m)


def unenumerable(m: Method) -> str:
    """Why the corruptions can't be enumerated; "" if they can."""
    return m.once(("unenumerable",), lambda: why_unenumerable(m))


def why_unenumerable(m: Method) -> str:
    if not m.corrupts:
        return ""
    if other_times(m):
        return other_times(m)
    if m.pinnable and not m.draws and not m.states_likelihood:
        if m.defines("noise", "likelihood") and smooth(m):
            return ""
        why = "P(corrupted | x, t) is unknown, or a step function of t: define P(corrupted | x)"
        return NoLaw(why)
    return states.unstatable(m) or unreached(m)


def unreached(m: Method) -> str:
    """Why the states that were found are not enough; "" if they are."""
    found = states_of(m, m.toy_distribution())
    if not found.closed and min(float(found.total(t).min()) for t in states.TIMES) < 1 - 1e-6:
        return NoLaw("some corrupted states are too rare to be drawn")
    fine, coarse = (
        torch.stack([weight * found.p(t) for t, weight in time_grid(m, nodes)]).sum(0)
        for nodes in (64, 47)
    )
    if float((fine - coarse).abs().max()) > 1e-6:
        return NoLaw("P(z | x, t) is a step function of t: define P(z | x)")
    return ""


def states_of(m: Method, w: ToyDistribution, prompt: int = 0) -> states.States:
    """The corrupted states of all sequences."""

    def find() -> states.States:
        x = m.examples(*w.batch(), prompt)._replace(index=torch.arange(len(w.sequences)))
        return states.find(m, x)

    return m.once(("states", w.sequences[0], len(w.sequences), prompt), find)


def evaluate(m: Method, function: str, x, corrupted: Tensor, t: float) -> Tensor:
    """A function of the count for these rows at time t, (B,), float64."""
    f = getattr(m.part("noise"), function)
    time = torch.full((len(corrupted), 1), t, dtype=torch.float64)
    scope = m.scope(x=x, corrupted=corrupted, t=time)
    values = call(f, scope, getattr(m.noise_config, "count", None))
    return values.double().expand(len(corrupted), 1)[:, 0]


def likelihood_has_time(m: Method) -> bool:
    """Is the likelihood of a corrupted set given at a time? Otherwise over all times."""
    return "t" in inspect.signature(m.part("noise").likelihood).parameters


def smooth(m: Method) -> bool:
    """Can the likelihood be integrated over time? Not if it is a step function."""
    fine, coarse = (count_probability(m, 3, 2, nodes) for nodes in (64, 47))
    return abs(fine - coarse) < 1e-6


def time_grid(m: Method, nodes: int = 64) -> list[tuple[float, float]]:
    """(t, weight) of quadrature: the weighted sum is the mean over the times of what is minimised.

    Of discrete times, all of them. Other times than uniform ones follow from the `rank` of their
    law file, or else from the `density` of the package.
    """
    if not likelihood_has_time(m):
        return [(0.5, 1.0)]
    if m.discrete_times is not None:
        return [(t, 1 / len(m.discrete_times)) for t in m.discrete_times.tolist()]
    folds = 1
    if m.states_likelihood:  # its terms need not be smooth at the ends
        nodes, folds = nodes * 3 // 4, 2
    t, weight = quadrature(nodes, folds)
    if not has_own_times(m):
        t, weight = (quantile(m, t), weight) if rank(m) else (t, weight * density(m, t))
        weight = weight / weight.sum()  # times near the ends are cut off
    return [*zip(t.tolist(), weight.tolist(), strict=True)]


def has_own_times(m: Method) -> bool:
    """Is the bound minimised, and does it draw uniform times of its own?"""
    return m.minimised != "objective" and m.defines("noise", "bound_time")


def rank(m: Method) -> Callable[[Tensor], Tensor] | None:
    """The share of training times before a time, by the law file; None if it states none."""
    of_law = getattr(m.law("time", m.noise.get("time", {}).get("kind", "")), "rank", None)
    return of_law and (lambda t: of_law(t, m.schedule, m.noise_config.time))


def quantile(m: Method, u: Tensor) -> Tensor:
    """The times before which shares u of the training times lie; u if their law is unknown."""
    before = rank(m)
    if before is None:
        return u
    low, high = torch.zeros_like(u), torch.ones_like(u)
    for _ in range(60):
        middle = (low + high) / 2
        early = before(middle) < u
        low, high = torch.where(early, middle, low), torch.where(early, high, middle)
    return (low + high) / 2


def density(m: Method, t: Tensor) -> Tensor:
    """The density of times (T,) in training: the slope of their rank, or as the package states it.

    Uniform if it does not.
    """
    before = rank(m)
    if before:
        t = t.clone().requires_grad_()
        return torch.autograd.grad(before(t).sum(), t)[0]
    if not m.defines("noise", "density"):
        return torch.ones_like(t)
    x = m.examples(*m.toy_distribution().batch([0] * len(t)))
    value = call(m.part("noise").density, m.scope(x=x, t=t[:, None]), m.noise_config.time)
    return value.double()[:, 0]


def count_probability(m: Method, n: int, k: int, nodes: int = 64) -> float:
    """P(k of n tokens are corrupted), over all times."""
    tokens = torch.full((1, 1 + n), BOS)
    one = m.examples(tokens, torch.ones_like(tokens, dtype=torch.bool))
    x, sets = subsets(one)
    x, sets = rows_of(x, sets.sum(1) == k), sets[sets.sum(1) == k]
    return sum(
        weight * float(evaluate(m, "likelihood", x, sets, t).sum())
        for t, weight in time_grid(m, nodes)
    )


def every_corruption(m: Method, w: ToyDistribution, prompt: int = 0) -> tuple[Any, Any]:
    """Every sequence with each of its corruptions: examples, and what `pinned` takes."""
    if m.states_likelihood:
        found = states_of(m, w, prompt)
        return found.x, found.z
    every = m.examples(*w.batch(), prompt)._replace(index=torch.arange(len(w.sequences)))
    return subsets(every)


def probability_of(m: Method, x: Any, corruption: Any, t: float) -> Tensor:
    """P(corruption | x, t) of these rows, (B,), float64."""
    if m.states_likelihood:
        return states.likelihood(m, corruption, x, t)
    return evaluate(m, "likelihood", x, corruption, t)


def corruptions(
    m: Method, w: ToyDistribution, prompt: int = 0, nodes: int = 64
) -> Iterator[tuple[float, Any, Any, Tensor]]:
    """All sequences with all corruptions, by time: (t, examples, corruption, P (B,))."""
    x, corruption = every_corruption(m, w, prompt)
    p = w.p[x.index]
    for t, weight in time_grid(m, nodes):
        yield t, x, corruption, weight * p * probability_of(m, x, corruption, t)


def tokens_seen(m: Method, x: Any, corruption: Any) -> Tensor:
    """The tokens that the model sees, (B, L); padding where they are not valid."""
    if isinstance(corruption, Tensor):
        t = torch.full((len(x.tokens), 1), 0.5)
        corruption = m.call_process("corrupt", m.scope(x=x, corrupted=corruption, t=t))
    return states.seen(corruption)


def subsets(x):
    """Each row with every subset of its free tokens: (examples, sets (B, L))."""
    which, sets = [], []
    for i, free in enumerate((x.valid & ~x.fixed).tolist()):
        for s in product(*([False, True] if f else [False] for f in free)):
            which.append(i)
            sets.append(s)
    return rows_of(x, torch.tensor(which)), torch.tensor(sets)
