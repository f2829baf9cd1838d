"""Laws of token rules and unmasking orders, against the formulas of their law files."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .law import ALARM, Figure, law, needs, when
from .law_files import Component
from .method import Method
from .sampler_runs import parameters_of
from .toy_distribution import generator, surprise

ROWS = 400_000
P = torch.tensor([0.42, 0.27, 0.15, 0.1, 0.05, 0.0099, 0.0001], dtype=torch.float64)


def rules(m: Method) -> Iterator[tuple[str, str, Any]]:
    """(sampler, kind, rule) of every rule that samples tokens or gaps."""
    for name, parts in m.samplers.items():
        for key in ("tokens", "gaps"):
            if key in parts:
                yield name, parts[key]["kind"], getattr(parameters_of(m, name), key)


def has_token_law(m: Method) -> str:
    """Has any token rule a law?"""
    missing = [m.without_law(Component("tokens", kind)) for _, kind, _ in rules(m)]
    return missing[0][0] if missing and all(missing) else ""


some_rules = when(lambda m: any(rules(m)), "no token rules")


@law("token rules sample from their distribution", needs(some_rules, has_token_law))
def samples(m: Method) -> Iterator[Figure]:
    """With the parameters of the spec, and with parameters that truncate; the tail is kept too.

    The control: the second token in place of the first.
    """
    for name, kind, rule in {(k, str(r)): (n, k, r) for n, k, r in rules(m)}.values():
        if m.without_law(Component("tokens", kind)):
            continue
        law_file = m.law("tokens", kind)
        for r in (rule, replace(rule, **getattr(law_file, "STRICT", {}))):
            p = law_file.distribution(r, P)
            logits = P.float().log().expand(ROWS, -1)
            seen = torch.bincount(r(logits, generator()), minlength=len(P)).double()
            other = seen.clone()
            other[0], other[1] = 0, seen[0] + seen[1]
            yield Figure(surprise(seen, p), ALARM, surprise(other, p), f"{name}: {r}")


def orders(m: Method) -> Iterator[tuple[str, str, Any]]:
    """(sampler, kind, rule) of every order with a score, or without a known law."""
    for name, parts in m.samplers.items():
        if "order" in parts:
            kind = parts["order"]["kind"]
            if not getattr(m.law("order", kind), "ANY_ORDER", False):
                yield name, kind, parameters_of(m, name).order


def has_order_law(m: Method) -> str:
    """Has any unmasking order a law?"""
    missing = [m.without_law(Component("order", kind)) for _, kind, _ in orders(m)]
    return missing[0][0] if missing and all(missing) else ""


some_orders = when(lambda m: any(orders(m)), "no unmasking order with a score")


@law("unmasking orders rank positions as defined", needs(some_orders, has_order_law))
def ranks(m: Method) -> Iterator[Figure]:
    """Pairs of 200 positions in another order. The control: the reversed order."""
    logits = torch.randn(200, len(P), generator=generator(7), dtype=torch.float64)
    positions = torch.arange(len(logits))
    for name, kind, rule in {k: (n, k, r) for n, k, r in orders(m)}.values():
        if not m.without_law(Component("order", kind)):
            right = m.law("order", kind).score(rule, logits.softmax(-1), positions).double()
            score = rule(itself, logits, positions, generator()).double()
            yield Figure(inverted(score, right), 0, inverted(-score, right), f"{name}: {kind}")


def itself(logits: Tensor) -> Tensor:
    """A head for hidden states that are logits."""
    return logits


def inverted(a: Tensor, b: Tensor) -> float:
    sign = (a[:, None] - a).sign() * (b[:, None] - b).sign()
    return float((sign < 0).sum())
