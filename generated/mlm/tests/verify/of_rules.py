"""Laws of the rules by which tokens are drawn: against formulas written here."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor

from .formulas import site_score, token_law
from .law import ALARM, Figure, law, when
from .method import Method
from .world import generator, surprise

ROWS = 400_000
P = torch.tensor([0.42, 0.27, 0.15, 0.1, 0.05, 0.0099, 0.0001], dtype=torch.float64)


def rules(m: Method) -> Iterator[tuple[str, str, object]]:
    """(sampler, kind, rule) of every rule that draws tokens or gaps."""
    for name, parts in m.samplers.items():
        for key in ("tokens", "gaps"):
            if key in parts:
                yield name, parts[key]["kind"], getattr(m.numbers(name), key)


@law("rules draw tokens as they say", when(lambda m: any(rules(m)), "it has no rule that draws"))
def draws(m: Method) -> Iterator[Figure]:
    """As the spec has them, and with numbers at which they cut; the tail is not lost either.

    The control: the second token in place of the first.
    """
    for name, kind, rule in {(k, str(r)): (n, k, r) for n, k, r in rules(m)}.values():
        for r in (rule, sharper(rule)):
            told = token_law(kind, r)
            if told is None:
                continue
            law = told(P)
            logits = P.float().log().expand(ROWS, -1)
            seen = torch.bincount(r(logits, generator()), minlength=len(P)).double()
            other = seen.clone()
            other[0], other[1] = 0, seen[0] + seen[1]
            yield Figure(surprise(seen, law), ALARM, surprise(other, law), f"{name}: {r}")


def sharper(rule):
    """The same rule with other numbers."""
    assert is_dataclass(rule)
    numbers = {"temperature": 0.7, "k": 3, "p": 0.8, "share": 0.2}
    return type(rule)(**{f.name: numbers[f.name] for f in fields(rule) if f.name in numbers})


def scored(kind: str, p: Tensor) -> Tensor | None:
    """The score of each of N sites, or None for a rule that is not known, or drawn."""
    if kind == "left_to_right":
        return -torch.arange(len(p), dtype=p.dtype)
    score = site_score(kind)
    return score(p) if score else None


@law("rules rank sites as they say", when(lambda m: any(ranking(m)), "it has no rule that ranks"))
def ranks(m: Method) -> Iterator[Figure]:
    """Pairs of 200 sites in another order; the control: the order turned round."""
    logits = torch.randn(200, len(P), generator=generator(7), dtype=torch.float64)
    for name, kind, rule in {k: (n, k, r) for n, k, r in ranking(m)}.values():
        right = scored(kind, logits.softmax(-1))
        if right is not None:
            told = rule(logits, torch.arange(len(logits)), generator()).double()
            yield Figure(inverted(told, right), 0, inverted(-told, right), f"{name}: {kind}")


def inverted(a: Tensor, b: Tensor) -> float:
    sign = (a[:, None] - a).sign() * (b[:, None] - b).sign()
    return float((sign < 0).sum())


def ranking(m: Method) -> Iterator[tuple[str, str, object]]:
    """(sampler, kind, rule) of every rule that ranks sites."""
    for name, parts in m.samplers.items():
        if "sites" in parts:
            yield name, parts["sites"]["kind"], m.numbers(name).sites
