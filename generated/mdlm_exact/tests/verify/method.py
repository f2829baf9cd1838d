"""A package as the laws see it: its parts, its numbers, and the law of its corruption."""

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import is_dataclass, replace
from functools import cached_property, reduce
from itertools import product
from typing import Any

import torch
from torch import Tensor

from .oracle import Anything, Conditional, Missing, Posterior
from .world import BOS, EOS, MASK, PAD, SIZE, Text, V, World, quadrature, world

ROWS = 20_000


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
        """What its network is to find: tokens `masked`, `dropped`, those `behind`, or `others`."""
        if self.vocab.mask >= 0:
            return "masked"
        if "gap_token_logits" in self.heads:
            return "dropped"
        told = self.part("noise").Noised._fields
        return "behind" if told == ("tokens", "valid") else "others"

    @property
    def layout(self) -> str:
        return {"dropped": "grow", "behind": "end"}.get(self.hides, "room")

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
        """Is the law of its corruption stated so that it can be summed, or nothing hidden?"""
        stated = self.pinnable and self.defines("noise", "likelihood")
        return self.hides == "behind" or (stated and self.hides != "others" and self.smooth)

    @property
    def minimiser_known(self) -> bool:
        """Of masked tokens it is the posterior, however many are masked."""
        return self.hides == "masked" or self.enumerable

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
        return Missing(self.met(w, given), blur, tilt)

    def met(self, w: World, given: int = 0) -> Iterator[tuple[Text, tuple[int, ...], float]]:
        """How much of what is minimised meets a text without some of its tokens, over all times."""
        tokens, _ = w.rows()
        mass = torch.zeros(())
        for t, x, chosen, p in self.corrupted(w, given):  # the same rows at every time
            mass = mass + p * self.weighed(x, chosen, t)
        which = (x.tokens[:, None] == tokens).all(-1).long().argmax(1)
        for i, line, much in zip(which.tolist(), chosen.tolist(), mass.tolist(), strict=True):
            yield w.texts[i], tuple(j - 1 for j, gone in enumerate(line) if gone), much

    def weighed(self, x, chosen: Tensor, t: float) -> Tensor:
        """By how much what is minimised weighs these rows, (B,); one if by nothing."""
        part = self.part("objective")
        called = {*getattr(part, self.minimised).__code__.co_names}
        called |= {*part.objective.__code__.co_names} if "objective" in called else set()
        if "level_weight" not in called:
            return torch.ones(len(chosen), dtype=torch.float64)
        return self.told("level_weight", x, chosen, t)

    @property
    def timed(self) -> bool:
        """Is its network told the time?"""
        return self.plan["inferred"]["time_conditioned"]

    def anything(self, timed: bool = False, seed: int = 0) -> Anything:
        """Any network."""
        words = (*range(SIZE), EOS) if self.layout != "grow" else tuple(range(SIZE))
        return Anything(words, self.hides == "behind", timed, seed)

    def asked(self, bound: bool) -> "Method":
        """The same method; its oracle minimises the bound, or (at first) the objective."""
        other = copy(self)
        other.minimised = "log_likelihood_bound" if bound else "objective"
        return other

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

    def told(self, function: str, x, chosen: Tensor, t: float) -> Tensor:
        """What a function of the count says of these rows at time t, (B,), float64."""
        f = getattr(self.part("noise"), function)
        time = torch.full((len(chosen), 1), t, dtype=torch.float64)
        scope = {"x": x, "chosen": chosen, "t": time, "schedule": self.schedule}
        found = called(f, scope, getattr(self.config.noise, "count", None))
        return found.double().expand(len(chosen), 1)[:, 0]

    @property
    def law_reads_time(self) -> bool:
        """Is what is hidden told at a time? Else over all times."""
        return "t" in inspect.signature(self.part("noise").likelihood).parameters

    @cached_property
    def smooth(self) -> bool:
        """Can what is hidden be integrated over time? Not where it jumps."""
        return abs(self.chance_of_count(3, 2) - self.chance_of_count(3, 2, nodes=47)) < 1e-6

    def times(self, nodes: int = 64) -> list[tuple[float, float]]:
        """(t, its weight): over which a sum is the mean over times."""
        if not self.law_reads_time:
            return [(0.5, 1.0)]
        return [*zip(*(a.tolist() for a in quadrature(nodes)), strict=True)]

    def chance_of_count(self, n: int, k: int, nodes: int = 64) -> float:
        """P(k of n tokens are hidden), over all times."""
        tokens = torch.full((1, 1 + n), BOS)
        one = self.examples(tokens, torch.ones_like(tokens, dtype=torch.bool))
        x, chosen = subsets(self, one)
        x, chosen = (rows_of(x, chosen.sum(1) == k), chosen[chosen.sum(1) == k])
        return sum(
            weight * float(self.told("likelihood", x, chosen, t).sum())
            for t, weight in self.times(nodes)
        )

    def corrupted(self, w: World, given: int = 0) -> Iterator[tuple[float, Any, Tensor, Tensor]]:
        """Every text, hidden in every way, by time: (t, examples, chosen, probability (B,))."""
        tokens, valid = w.rows()
        every = self.examples(tokens, valid, given)._replace(index=torch.arange(len(tokens)))
        x, chosen = subsets(self, every)
        p = w.p[x.index]
        for t, weight in self.times():
            yield t, x, chosen, weight * p * self.told("likelihood", x, chosen, t)

    @contextmanager
    def pinned(self, chosen: Tensor | None, t: float | Tensor) -> Iterator[None]:
        """The objective hides these tokens, at this time, or each row at its own, (B, 1)."""
        part = self.part("objective")
        at = t if isinstance(t, Tensor) else torch.full((1, 1), t, dtype=torch.float64)
        pins: dict[str, Callable] = {
            "choose": lambda *_, **__: chosen,
            "sample_time": lambda x, *_, **__: at.expand(len(x.tokens), 1),
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

    def estimate(self, function, model, w: World, given: int = 0) -> tuple[float, float]:
        """The same mean, of 20,000 texts as training draws them, and its standard error."""
        rng = torch.Generator().manual_seed(1)
        x = self.examples(*w.rows(torch.multinomial(w.p, ROWS, True, generator=rng)), given)
        value = function(model, x, self.config, rng).double()
        return float(value.mean()), float(value.std()) / ROWS**0.5

    # ---- samplers --------------------------------------------------------------------------------

    @property
    def samplers(self) -> dict[str, dict]:
        """What each is made of, and its numbers as the spec has them."""
        return self.plan["method"]["sampler"]

    def place(self, sampler: str) -> str:
        """Where its numbers live in the config, by dotted name."""
        return f"sampler.{sampler}" if len(self.samplers) > 1 else "sampler"

    def numbers(self, sampler: str, config=None):
        """The numbers of a sampler, its rules among them."""
        return reduce(getattr, self.place(sampler).split("."), config or self.config)

    def exact_at(self, sampler: str) -> dict[str, Any] | None:
        """The numbers with which a sampler follows the network's own law; None if it never does."""
        found = self.plan.get("exact_at", {}).get(sampler)
        return None if found is None else {k: ast.literal_eval(n) for k, n in found.items()}

    def drawn(self, sampler: str, model, start, numbers: dict[str, Any], seed: int = 0) -> list:
        """Every state of a sampler's way."""
        config = with_numbers(self.config, numbers)
        rng = torch.Generator().manual_seed(seed)
        return [*self.module.SAMPLERS[sampler](model, config, start, rng)]


def subsets(m: Method, x):
    """Each row once for every set of its free tokens: (examples, sets (B, L))."""
    which, sets = [], []
    for i, free in enumerate((x.valid & ~x.fixed).tolist()):
        for s in product(*([False, True] if f else [False] for f in free)):
            which.append(i)
            sets.append(s)
    return rows_of(x, torch.tensor(which)), torch.tensor(sets)


def rows_of(x, which: Tensor):
    """Some rows of a batch; which they are is kept, where it is told."""
    index = None if x.index is None else x.index[which]
    return type(x)(*(a[which] for a in (x.tokens, x.valid, x.fixed)))._replace(index=index)


def called(function, scope: dict, numbers):
    """A function of a component: its wires by name, its parameters from the config."""
    wanted = inspect.signature(function).parameters.values()
    given = {p.name: getattr(numbers, p.name) for p in wanted if p.kind == p.KEYWORD_ONLY}
    return function(*(scope[p.name] for p in wanted if p.kind != p.KEYWORD_ONLY), **given)


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
