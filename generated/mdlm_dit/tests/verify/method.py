"""A package as the laws see it: its parts, its numbers, and the law of its corruption."""

import ast
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import is_dataclass, replace
from itertools import product
from math import comb
from typing import Any

import torch
from torch import Tensor

from .oracle import Conditional, Missing, Posterior
from .world import BOS, EOS, MASK, PAD, V, World, quadrature, world


class Method:
    """`module` is the package, `plan` what its spec was lowered to."""

    def __init__(self, module, plan: dict):
        self.module, self.plan = module, plan
        self.minimised = "objective"
        self.noise = plan["method"]["noise"]
        ids = {"eos": EOS, "mask": MASK}
        needed = {n: ids[n] for n in module.NEEDS}
        self.vocab = module.Vocab(size=V, pad=PAD, bos=BOS, **needed)
        self.as_written = module.Config(vocab=self.vocab)  # with the spec's own numbers
        self.config = with_numbers(self.as_written, getattr(module, "BOUND_AT", {}))
        self.heads = {n for n, _ in module.Model(module.Config.small()).named_children()}
        self.heads -= {"backbone"}

    def part(self, name: str):
        """A file of the package; None where it has none of that name."""
        try:
            return importlib.import_module(f"{self.module.__name__}.{name}")
        except ModuleNotFoundError:
            return None

    def defines(self, part: str, name: str) -> bool:
        return hasattr(self.part(part), name)

    # ---- what kind of method --------------------------------------------------------------------

    @property
    def hides(self) -> str:
        """What its network is to find: `masked` tokens, `dropped` ones, or those `behind`."""
        if self.vocab.mask >= 0:
            return "masked"
        return "dropped" if "gap_token_logits" in self.heads else "behind"

    @property
    def layout(self) -> str:
        return {"masked": "room", "dropped": "grow", "behind": "end"}[self.hides]

    @property
    def count(self) -> str:
        """The rule of how many tokens are hidden; "" where the process decides for itself."""
        return self.noise.get("count", {}).get("kind", "") if self.pinnable else ""

    @property
    def pinnable(self) -> bool:
        """Does its objective let the set of hidden tokens be chosen from outside?"""
        return self.defines("objective", "choose")

    @property
    def enumerable(self) -> bool:
        """Is the law of its corruption known here?"""
        return self.count in ("bernoulli", "uniform", "exact") or self.hides == "behind"

    @property
    def minimiser_known(self) -> bool:
        """Of masked tokens it is the posterior, however many are masked; not of dropped ones."""
        return self.hides != "dropped" or self.enumerable

    @property
    def schedule(self):
        return getattr(getattr(self.config, "noise", None), "schedule", None)

    # ---- the world -------------------------------------------------------------------------------

    def world(self, seed: int = 0) -> World:
        return world(self.layout, seed)

    def examples(self, tokens: Tensor, valid: Tensor, given: int = 0):
        """BOS and `given` tokens behind it are fixed."""
        fixed = (torch.arange(tokens.shape[1]) <= given) & valid
        return self.module.Examples(tokens, valid, fixed)

    def start(self, w: World, rows: int, prompt: tuple[int, ...] = ()):
        """A sampler's start: BOS, a prompt, and room for the rest."""
        tokens = torch.full((rows, w.width), PAD)
        tokens[:, : 1 + len(prompt)] = torch.tensor([BOS, *prompt])
        return self.examples(tokens, torch.ones_like(tokens, dtype=torch.bool), len(prompt))

    def oracle(self, w: World, blur: float = 0.0, given: int = 0, tilt: float = 0.0):
        """The exact minimiser of this method's objective on a world, or something near it."""
        if self.hides == "masked":
            return Posterior(w, blur, tilt)
        if self.hides == "behind":
            return Conditional(w, blur, tilt)
        return Missing(w, self.level_mass, blur, tilt, given)

    def asked(self, bound: bool) -> "Method":
        """The same method; its oracle minimises the bound, or (at first) the objective."""
        other = copy(self)
        other.minimised = "log_likelihood_bound" if bound else "objective"
        return other

    def level_mass(self, n: int, k: int) -> float:
        """How much what is minimised gives texts of n free tokens of which k are gone."""
        part = self.part("objective")
        called = {*getattr(part, self.minimised).__code__.co_names}
        called |= {*part.objective.__code__.co_names} if "objective" in called else set()
        return float(k >= self.least) if "level_weight" in called else self.chance_of_count(n, k)

    def network(self, seed: int = 0):
        """A small real network in float64, nothing trained, nothing at rest."""
        small = self.module.Config.small()
        torch.manual_seed(seed)
        model = self.module.Model(replace(small, vocab=self.vocab)).double().eval()
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.3 * torch.randn_like(p))
        return model

    # ---- the law of the corruption ---------------------------------------------------------------

    @property
    def least(self) -> int:
        return int(getattr(getattr(self.config.noise, "count", None), "least", 0))

    def chance_of_count(self, n: int, k: int) -> float:
        """P(k of n tokens are hidden), over all times."""
        if self.count == "bernoulli":
            t, w = quadrature()
            gone = 1 - self.schedule.alpha(t)
            return float((w * comb(n, k) * gone**k * (1 - gone) ** (n - k)).sum())
        if k < min(self.least, n):
            return 0.0
        if self.count == "uniform" or n < self.least:
            return 1 / max(1, n - self.least + 1)
        share = torch.tensor([k - self.least, k - self.least + 1], dtype=torch.float64)
        begins, ends = self.schedule.inverse(1 - share / (n - self.least + 1))
        return float(ends - begins)

    def times(self) -> list[tuple[float, float]]:
        """(t, its weight): over which a sum is the mean over times."""
        if self.count != "bernoulli":
            return [(0.5, 1.0)]
        return [*zip(*(a.tolist() for a in quadrature()), strict=True)]

    def chance(self, n: int, k: int, t: float) -> float:
        """P(a set of k of n tokens is hidden) at time t."""
        if self.count == "bernoulli":
            gone = 1 - float(self.schedule.alpha(torch.tensor(t, dtype=torch.float64)))
            return gone**k * (1 - gone) ** (n - k)
        return self.chance_of_count(n, k) / comb(n, k)

    def corrupted(self, w: World, given: int = 0) -> Iterator[tuple[float, Any, Tensor, Tensor]]:
        """Every text, hidden in every way, by time: (t, examples, chosen, probability (B,))."""
        tokens, valid = w.rows()
        x = self.examples(tokens, valid, given)
        free = x.valid & ~x.fixed
        which, sets, counts = [], [], []
        for i, line in enumerate(free.tolist()):
            places = [j for j, f in enumerate(line) if f]
            for s in product([False, True], repeat=len(places)):
                hidden = {p for p, h in zip(places, s, strict=True) if h}
                which.append(i)
                sets.append([j in hidden for j in range(len(line))])
                counts.append((len(places), len(hidden)))
        rows = self.module.Examples(*(a[which] for a in (x.tokens, x.valid, x.fixed)))
        p = w.p[which]
        for t, weight in self.times():
            chance = [self.chance(n, k, t) for n, k in counts]
            yield t, rows, torch.tensor(sets), weight * p * torch.tensor(chance).double()

    @contextmanager
    def pinned(self, chosen: Tensor | None, t: float) -> Iterator[None]:
        """The objective hides these tokens, at this time."""
        part = self.part("objective")
        pins: dict[str, Callable] = {
            "choose": lambda *_, **__: chosen,
            "sample_time": lambda x, *_, **__: torch.full((len(x.tokens), 1), t).double(),
        }
        kept = {n: getattr(part, n) for n in pins if hasattr(part, n)}
        try:
            for name in kept:
                setattr(part, name, pins[name])
            yield
        finally:
            for name, f in kept.items():
                setattr(part, name, f)

    def mean(self, function, model, w: World, given: int = 0) -> float:
        """E over texts, times and sets of `function(model, x, config, rng)`, (B,): enumerated."""
        rng = torch.Generator().manual_seed(0)
        if not self.pinnable:
            x = self.examples(*w.rows(), given)
            return float((w.p * function(model, x, self.config, rng)).sum())
        total = 0.0
        for t, x, chosen, p in self.corrupted(w, given):
            with self.pinned(chosen, t):
                value = function(model, x, self.config, rng)
            total += float((p * value.double()).sum())
        return total

    # ---- samplers --------------------------------------------------------------------------------

    def exact_at(self, sampler: str) -> dict[str, Any] | None:
        """The numbers with which a sampler follows the network's own law; None if it never does."""
        found = self.plan.get("exact_at", {}).get(sampler)
        return None if found is None else {k: ast.literal_eval(n) for k, n in found.items()}

    def drawn(self, sampler: str, model, start, numbers: dict[str, Any], seed: int = 0) -> list:
        """Every state of a sampler's way."""
        config = with_numbers(self.config, numbers)
        rng = torch.Generator().manual_seed(seed)
        return [*self.module.SAMPLERS[sampler](model, config, start, rng)]


def with_numbers(config, numbers: dict[str, Any]):
    """A config with some numbers replaced, by dotted name."""
    for name, value in numbers.items():
        config = replaced(config, name.split("."), value)
    return config


def replaced(config, path: list[str], value):
    first, *rest = path
    old = getattr(config, first)
    if rest:
        assert is_dataclass(old)
        value = replaced(old, rest, value)
    elif isinstance(old, float):
        value = float(value)
    return replace(config, **{first: value})
