"""What samplers of masked texts write with any network: enumerated state by state, in float64.

Straight from the papers, and apart from the package's samplers, which are held against it. Here:
which sites go, and the table of all; by time and with remasking: remasking.py.
"""

from collections.abc import Callable
from functools import partial
from itertools import combinations

import torch

from . import remasking
from .chains import mixture
from .formulas import site_score, token_law
from .method import Method
from .states import EMPTY, Mixed, Sampling, Seen, Sites, State, Step, masked
from .world import LONGEST

__all__ = ["EMPTY", "shown", "steps"]
Pick = Callable[[Seen, State, Sites], Sites]  # which of the masked sites go


def picking(s: Sampling, pick: Pick) -> list[Step]:
    """In every step those masked sites that `pick` names."""

    def step(state: State, free: Sites) -> Mixed:
        seen = s.at_share(state, free)
        return seen.filled(state, pick(seen, state, masked(state, free)))

    return [step] * LONGEST


def ranked(kind: str) -> Pick | None:
    """All masked sites, the most certain first."""
    score = site_score(kind)
    if kind == "left_to_right":
        return lambda seen, state, left: left
    if score is None:
        return None

    def pick(seen: Seen, state: State, left: Sites) -> Sites:
        certain = score(torch.tensor(seen.p[state[0]], dtype=torch.float64)).tolist()
        return tuple(sorted(left, key=lambda i: -certain[i]))

    return pick


def fixed_budget(s: Sampling) -> list[Step] | None:
    """n sites a step."""
    n = s.numbers.per_step
    order = ranked(s.told["sites"]["kind"])
    if order:
        return picking(s, lambda *of: order(*of)[:n])
    return any_sites(s, n) if s.told["sites"]["kind"] == "random" else None


def any_sites(s: Sampling, n: int) -> list[Step]:
    """n sites a step, every set alike."""

    def step(state: State, free: Sites) -> Mixed:
        left = masked(state, free)
        sets = [*combinations(left, min(n, len(left)))]
        seen = s.at_share(state, free)
        return mixture((1 / len(sets), seen.filled(state, of)) for of in sets)

    return [step] * LONGEST


def first_hitting(s: Sampling) -> list[Step] | None:
    """One site a step; its time is drawn, so that of a network that is told it no table is made."""
    return None if s.m.timed else any_sites(s, 1)


def threshold(s: Sampling) -> list[Step]:
    """All sites that are surer, and the surest in any case."""
    order = ranked("confidence")
    assert order

    def pick(seen: Seen, state: State, left: Sites) -> Sites:
        sure = tuple(i for i in left if max(seen.p[state[0]][i]) >= s.numbers.threshold)
        return sure or order(seen, state, left)[:1]

    return picking(s, pick)


def entropy_bounded(s: Sampling) -> list[Step]:
    """The longest row of most certain sites whose entropies less the largest fit."""
    order, score = ranked("entropy"), site_score("entropy")
    assert order
    assert score

    def pick(seen: Seen, state: State, left: Sites) -> Sites:
        by_certainty = order(seen, state, left)
        p = torch.tensor(seen.p[state[0]], dtype=torch.float64)
        entropy = [-float(score(p[i])) for i in by_certainty]
        fits = [n for n in range(len(left)) if sum(entropy[:n]) <= s.numbers.gamma]
        return by_certainty[: 1 + max(fits, default=0)]

    return picking(s, pick)


LOOPS: dict[str, Callable[[Sampling], list[Step] | None]] = {
    "fixed_budget": fixed_budget,
    "first_hitting": first_hitting,
    "threshold": threshold,
    "entropy_bounded": entropy_bounded,
    "ancestral": remasking.ancestral,
    "remask": remasking.remask,
    "remask_loop": remasking.remask_loop,
    "mask_predict": remasking.mask_predict,
}


def windows(told: dict, numbers) -> list[Sites] | None:
    """The sites that may be written, one window after the other."""
    outer = told.get("outer", {}).get("kind")
    if outer not in (None, "blocks"):
        return None
    size = numbers.outer.size if outer else LONGEST
    return [tuple(range(i, min(i + size, LONGEST))) for i in range(0, LONGEST, size)]


def steps(m: Method, told: dict, numbers, model) -> list[Step] | None:
    """Every step of a sampler, from EMPTY on; None where a part of it is not known here."""
    rule = token_law(told["tokens"]["kind"], numbers.tokens)
    loop, blocks = LOOPS.get(told["kind"]), windows(told, numbers)
    if not (rule and loop and blocks):
        return None
    each = loop(Sampling(m, told, numbers, model, rule))
    return each and [partial(step, free=free) for free in blocks for step in each]


def shown(state: State) -> tuple[int, ...]:
    return state[0]
