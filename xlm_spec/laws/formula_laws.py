"""The law that every term equals its formula."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .bound_laws import largest_difference
from .calls import rows_of
from .conditions import process_has
from .corruptions import density, states_of, unenumerable
from .formulas import by_formula, parts_of_loss, term_of
from .law import Figure, law, needs
from .law_files import NoLaw
from .method import Method
from .pinning import pinned
from .state_fields import draw, settled
from .states import no_fixed_states
from .toy_distribution import generator

TIME = 0.3  # of the corruptions


def has_formula(m: Method) -> str:
    """Has any loss the laws of all its parts?"""
    parts = [parts_of_loss(m, loss) for loss in m.plan["method"]["loss"]]
    missing = [p for p in parts if isinstance(p, NoLaw)]
    return missing[0] if len(missing) == len(parts) else ""


def some_states(m: Method) -> tuple[Any, Any]:
    """Sequences of every length, and a corruption of each: a set of tokens, or a state."""
    w = m.toy_distribution()
    some = range(0, len(w.sequences), 3)
    if m.states_likelihood:
        found = states_of(m, w)
        chances = torch.where(found.x.index == torch.tensor(some)[:, None], found.p(TIME), 0.0)
        picked = torch.multinomial(chances, 1, generator=generator(2))[:, 0]
        return rows_of(found.x, picked)._replace(index=None), rows_of(found.z, picked)
    x = m.examples(*w.batch(some))
    if not m.pinnable and m.corrupts:
        x = m.examples(*w.batch())
        return x, draw(m, x, torch.full((len(x.tokens), 1), 1 - TIME), seed=2)
    corrupted = torch.rand(x.tokens.shape, generator=generator(2)) < 0.6
    return x, corrupted & x.valid & ~x.fixed


def can_be_pinned(m: Method) -> str:
    """Can the corruption be given?"""
    if m.corrupts and (m.states_likelihood or (m.pinnable and m.draws)):
        return unenumerable(m)
    return "" if m.pinnable or not m.corrupts else no_fixed_states(m)


def inputs_known(m: Method) -> str:
    """Is the input of the model known?"""
    drawn = m.states_likelihood or (m.corrupts and not m.pinnable)
    return "" if drawn else process_has("model_input")(m)


@law(
    "every loss term equals its formula",
    needs(can_be_pinned, inputs_known, lambda m: m.other_inputs, has_formula),
)
def formula(m: Method) -> Iterator[Figure]:
    """A small model in float64, the same corruption, another time for each row.

    The largest difference relative to the largest term. The control: a term that is 1% larger.
    """
    x, corruption = some_states(m)
    model = m.small_model()
    times = torch.linspace(0.02, 0.98, len(x.tokens), dtype=torch.float64)[:, None]
    with torch.no_grad(), pinned(m, corruption, times):
        values = m.module.objective(model, x, m.config, generator())
    if not isinstance(corruption, Tensor):  # some real numbers are those of these times
        corruption = draw(m, x, times)._replace(**settled(m, corruption))
    for loss in m.plan["method"]["loss"]:
        parts = parts_of_loss(m, loss)
        term = term_of(loss)
        if isinstance(parts, NoLaw) or term not in values:
            continue
        with torch.no_grad():
            rows = [
                by_formula(m, parts, model, x, i, corruption, t)
                for i, t in enumerate(times.flatten().tolist())
            ]
        known_rows = [r / p for r, p in zip(rows, divisor(m, times), strict=True) if r is not None]
        if len(known_rows) == len(rows):
            right = torch.tensor(known_rows, dtype=torch.float64)
            scale = right.abs().max().clamp(min=1e-12)
            value = values[term]
            if not (value.any() or right.any()):
                continue  # no target in any row: nothing is tested
            off, wrong = largest_difference(value, right), largest_difference(1.01 * value, right)
            yield Figure(off / float(scale), 1e-6, wrong / float(scale), term)


def divisor(m: Method, times: Tensor) -> list[float]:
    """The density of these times (B, 1), if the objective divides by it."""
    divides = "density" in m.part("objective").objective.__code__.co_names
    t = times[:, 0]
    with torch.enable_grad():
        return (density(m, t) if divides else torch.ones_like(t)).tolist()
