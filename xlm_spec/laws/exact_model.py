"""The exact model of a method: of its process' law file, or built from what its parts state."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from . import oracle
from .corruptions import corruptions, enumerable, evaluate, unenumerable
from .law_files import NoLaw, Unverified
from .observed import observed

if TYPE_CHECKING:
    from .method import Method
    from .toy_distribution import Tokens, ToyDistribution

WEIGHTS = ("elbo_weight", "count_weight")  # functions of a count that weight loss terms


def exact_model(
    m: Method, w: ToyDistribution, blur: float = 0.0, prompt: int = 0, tilt: float = 0.0
):
    """The exact minimiser of the objective on a toy distribution, or a perturbed one."""
    minimiser = m.of_process("minimiser")
    if minimiser is None:
        return built_model(m, w, blur, prompt, tilt)
    if "occurrences" in inspect.signature(minimiser).parameters:
        model = minimiser(w, lambda: occurrences(m, w, prompt), blur, tilt)
    else:
        model = minimiser(w, blur, tilt)
    lacking = {head for head in m.heads if not hasattr(model, head)}
    return Partial(model, lacking, m.process.value) if lacking else model


class Partial:
    """An exact model without some heads of the method: reading one raises Unverified.

    Laws that need none of them, such as that of a sampler, do without.
    """

    def __init__(self, model: Any, lacking: set[str], process: str):
        self.model, self.lacking, self.process = model, lacking, process

    def __call__(self, *args: Any, **options: Any) -> Tensor:
        return self.model(*args, **options)

    def __getattr__(self, name: str) -> Any:
        if name in self.lacking:
            raise Unverified(without_head(name, self.process))
        return getattr(self.model, name)


def without_head(head: str, process: str) -> str:
    return NoLaw(f"the exact model of process {process} has no head `{head}`")


def lacking_in_bound(m: Method) -> str:
    """Why the law file of the process does not describe all of the bound; "" if it does.

    One of the losses of the bound calls a head that the exact model lacks.
    """
    called = {*m.part("objective").log_likelihood_bound.__code__.co_names}
    heads = [
        head
        for loss, seen in observed(m).items()
        if called & {loss, "objective"}
        for head in sorted(seen.heads)
    ]
    if unknown_minimiser(m):
        return ""
    model = exact_model(m, m.toy_distribution())
    lacking = [h for h in heads if isinstance(model, Partial) and h in model.lacking]
    return without_head(lacking[0], m.process.value) if lacking else ""


def built_model(
    m: Method,
    w: ToyDistribution,
    blur: float = 0.0,
    prompt: int = 0,
    tilt: float = 0.0,
    flipped: bool = False,
) -> oracle.Exact:
    """The same, from the likelihood of the process and the minimisers that the losses declare.

    `flipped`: predictions depend on the token at their own position if they should not, and
    otherwise do not.
    """
    tables = {head: oracle.table(m, w, prompt, head, flipped) for head in sorted(m.heads)}
    return oracle.Exact(tables, blur, tilt)


def unknown_minimiser(m: Method) -> str:
    """Why the exact model is unknown; "" if a law file or the package states it."""
    if m.of_process("minimiser") is None:
        return unenumerable(m) or oracle.unbuildable(m)
    if needs_occurrences(m) and not enumerable(m):
        return NoLaw("the minimiser depends on how often each set is corrupted, which is not known")
    return ""


def needs_occurrences(m: Method) -> bool:
    """Does the minimiser depend on how often each set is corrupted?"""
    minimiser = m.of_process("minimiser")
    return minimiser and "occurrences" in inspect.signature(minimiser).parameters


def occurrences(
    m: Method, w: ToyDistribution, prompt: int = 0
) -> Iterator[tuple[Tokens, tuple[int, ...], float]]:
    """The weight in the minimised function of each sequence without some of its tokens."""
    tokens, _ = w.batch()
    mass = torch.zeros(())
    for t, x, corrupted, p in corruptions(m, w, prompt):  # the same rows at every time
        mass = mass + p * term_weight(m, x, corrupted, t)
    which = (x.tokens[:, None] == tokens).all(-1).long().argmax(1)
    rows = zip(which.tolist(), corrupted.tolist(), mass.tolist(), strict=True)
    for i, row, weight in rows:
        yield w.sequences[i], tuple(j - 1 for j, removed in enumerate(row) if removed), weight


def term_weight(m: Method, x, corrupted: Tensor, t: float) -> Tensor:
    """The weight of these rows in the minimised function, (B,); 1 if it has no weight."""
    part = m.part("objective")
    called = {*getattr(part, m.minimised).__code__.co_names}
    called |= {*part.objective.__code__.co_names} if "objective" in called else set()
    for function in WEIGHTS:
        if function in called:
            return evaluate(m, function, x, corrupted, t)
    return torch.ones(len(corrupted), dtype=torch.float64)
