"""The distribution of the number of corrupted tokens, and the weights of loss terms from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .corruptions import count_probability, likelihood_has_time

if TYPE_CHECKING:
    from .method import Method


class Counting:
    """The count of a method. A weight is None if it depends on the time and has no law file.

    `elbo` is the function that is the ELBO weight of a term, as the process declares it.
    """

    def __init__(self, m: Method, elbo: str = ""):
        self.m, self.name_of_elbo = m, elbo
        kind = m.noise.get("count", {}).get("kind", "")
        self.law: Any = m.law("count", kind) if m.pinnable else None

    def probability(self, n: int, k: int) -> float | None:
        """P(k of n tokens are corrupted), over all times."""
        unknown = self.m.states_likelihood or likelihood_has_time(self.m)
        return None if unknown else count_probability(self.m, n, k)

    def elbo(self, n: int, k: int, t: float) -> float | None:
        """The ELBO weight of the term: one of the two below, or of the law file of the process."""
        of_process = self.m.of_process(self.name_of_elbo)
        if of_process:
            return of_process(n, k, t, self.m.schedule)
        named = {f.__name__: f for f in (self.elbo_weight, self.count_weight)}
        return named[self.name_of_elbo](n, k, t) if self.name_of_elbo in named else None

    def elbo_weight(self, n: int, k: int, t: float) -> float | None:
        """The weight with which the nats of every corrupted token count once: 1 / (k P(k))."""
        if hasattr(self.law, "elbo_weight"):
            return self.law.elbo_weight(n, k, t, self.m.schedule)
        p = self.probability(n, k)
        if p is None:
            return None
        return 1 / (k * p) if k and p > 0 else 0.0

    def count_weight(self, n: int, k: int, t: float) -> float | None:
        """The weight with which every number k of corrupted tokens counts once: 1 / P(k)."""
        if hasattr(self.law, "count_weight"):
            return self.law.count_weight(n, k, t, self.m.schedule)
        p = self.probability(n, k)
        if p is None:
            return None
        return 1 / p if p > 0 else 0.0


def counting_of(m: Method, term: str) -> Counting:
    """The distribution of the number of corrupted tokens, and the weights of a term."""
    declared = m.plan["inferred"].get("elbo_weights", {})  # absent in packages of 0.4.0
    return Counting(m, declared.get(term, "elbo_weight"))
