"""Laws of the corruption: who is hidden, when, and what is told of it."""

import inspect
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .law import ALARM, Figure, law, needs, when
from .method import Method
from .world import LONGEST, generator, surprise

ROWS = 20_000
timed = when(lambda m: m.defines("noise", "sample_time"), "its noise has no time")
chosen_apart = when(lambda m: m.pinnable, "its process chooses by itself what is hidden")
corrupts = when(lambda m: m.hides != "behind", "nothing is hidden")


def bins(t: Tensor, parts: int) -> Tensor:
    return torch.bincount((t.flatten() * parts).long().clamp(max=parts - 1), minlength=parts)


def called(function, scope: dict, numbers):
    """A function of a component: its wires by name, its parameters from the config."""
    wanted = inspect.signature(function).parameters.values()
    given = {p.name: getattr(numbers, p.name) for p in wanted if p.kind == p.KEYWORD_ONLY}
    return function(*(scope[p.name] for p in wanted if p.kind != p.KEYWORD_ONLY), **given)


@law("each time alone is uniform", timed)
def uniform_times(m: Method) -> Iterator[Figure]:
    """The first row's time over many batches of 8."""
    x = m.examples(*m.world().rows(range(8)))
    draw = m.part("noise").sample_time
    t = torch.stack([draw(x, generator(i), edge=1e-6)[0] for i in range(4000)])
    even = torch.full((20,), 1 / 20, dtype=torch.float64)
    yield Figure(
        surprise(bins(t, 20).double(), even), ALARM, surprise(bins(t**1.3, 20).double(), even)
    )


@law("strata of time span the global batch", timed)
def strata(m: Method) -> Iterator[Figure]:
    """Two ranks of 16 rows, 32 in all: how many of 32 equal parts of time do not hold one time."""
    if m.noise["time"]["kind"] != "stratified":
        return
    x = m.examples(*m.world().rows(range(16)))
    draw = m.part("noise").sample_time
    order = torch.randperm(32, generator=generator(5))
    ranks = [x._replace(index=order[r * 16 : (r + 1) * 16], total=32) for r in range(2)]
    t = torch.cat([draw(r, generator(i), edge=1e-9) for i, r in enumerate(ranks)])
    apart = torch.cat([draw(x, generator(i), edge=1e-9) for i in range(2)])
    yield Figure(float((bins(t, 32) != 1).sum()), 0, float((bins(apart, 32) != 1).sum()))


def chosen(m: Method, x, t: float, seed: int = 0) -> Tensor:
    """The set that `choose` hides in each row."""
    choose = m.part("noise").choose
    scope = {"x": x, "t": torch.full((len(x.tokens), 1), t), "schedule": m.schedule}
    scope["rng"] = generator(seed)
    wanted = inspect.signature(choose).parameters.values()
    number = {
        p.name: getattr(m.config.noise.count, p.name) for p in wanted if p.kind == p.KEYWORD_ONLY
    }
    return choose(*(scope[p.name] for p in wanted if p.kind != p.KEYWORD_ONLY), **number)


@law(
    "sets of hidden tokens follow their law",
    needs(chosen_apart, when(lambda m: m.enumerable, "the law of its count is not known here")),
)
def sets(m: Method) -> Iterator[Figure]:
    """Of three free tokens, at an early and a late time; the control never hides the first."""
    w = m.world()
    x = m.examples(*w.rows([len(w.texts) - 1] * ROWS))
    law_of = [bin(code).count("1") for code in range(8)]
    for t in (0.3, 0.8):
        hidden = chosen(m, x, t)[:, 1 : 1 + LONGEST]
        law = torch.tensor([chance_at(m, LONGEST, k, t) for k in law_of]).double()
        never = hidden & torch.tensor([False, True, True])
        yield Figure(
            surprise(patterns(hidden), law), ALARM, surprise(patterns(never), law), f"t = {t}"
        )


def patterns(hidden: Tensor) -> Tensor:
    """How often each of 8 sets is hidden, of (B, 3)."""
    code = (hidden.long() * torch.tensor([1, 2, 4])).sum(1)
    return torch.bincount(code, minlength=8).double()


def chance_at(m: Method, n: int, k: int, t: float) -> float:
    """P(a set of k of n tokens | t), stated here, apart from the package's own code."""
    if m.count != "exact":
        return m.chance(n, k, t)
    gone = 1 - float(m.schedule.alpha(torch.tensor(t).double()))
    size = min(n, m.least + int((n - m.least + 1) * gone))
    sets = {0: 1, 1: 3, 2: 3, 3: 1}[k]
    return float(k == size) / sets


@law("given tokens and padding are never hidden", needs(corrupts, chosen_apart))
def given(m: Method) -> Iterator[Figure]:
    """How many are, of 4,000 rows with a prompt of one token and a column of padding."""
    w = m.world()
    tokens, valid = w.rows([i % len(w.texts) for i in range(4000)])
    x = m.examples(F.pad(tokens, (0, 1), value=m.vocab.pad), F.pad(valid, (0, 1)), given=1)
    hidden = chosen(m, x, 0.9)
    mine = x.valid & ~x.fixed
    yield Figure(float((hidden & ~mine).sum()), 0, float((hidden & mine).sum()))


@law("what is hidden is hidden, and nothing else changes", needs(corrupts, chosen_apart))
def told(m: Method) -> Iterator[Figure]:
    """Sites (or rows, of texts that shrink) that are not as they should be."""
    w = m.world()
    x = m.examples(*w.rows())
    hide = (torch.rand(x.tokens.shape, generator=generator(1)) < 0.5) & x.valid & ~x.fixed
    z = corrupted(m, x, hide)
    if m.hides == "masked":
        right = torch.where(hide, m.vocab.mask, x.tokens)
        wrong = (z.tokens != right) | (z.valid != x.valid)
        yield Figure(float(wrong.sum()), 0, float((z.tokens != x.tokens).sum()))
        return
    kept = x.valid & ~hide
    off = shifted = 0
    for i in range(len(x.tokens)):
        mine = z.tokens[i][z.valid[i]].tolist()
        off += mine != x.tokens[i][kept[i]].tolist()
        shifted += mine != x.tokens[i][x.valid[i]].tolist()
    yield Figure(off, 0, shifted)


def corrupted(m: Method, x, hide: Tensor):
    corrupt = m.part("noise").corrupt
    scope = {"x": x, "chosen": hide, "vocab": m.vocab, "schedule": m.schedule, "rng": generator()}
    scope["t"] = torch.full((len(x.tokens), 1), 0.5)
    return called(corrupt, scope, getattr(m.config.noise, "process", None))


@law("samplers start where the noise ends", needs(corrupts, chosen_apart))
def starts(m: Method) -> Iterator[Figure]:
    """Rows whose prior is not the text with every free token hidden."""
    w = m.world()
    x = m.examples(*w.rows(), given=1)
    prior = m.part("noise").prior
    state = called(prior, {"x": x, "vocab": m.vocab}, getattr(m.config.noise, "process", None))
    seen, half = (
        corrupted(m, x, hide & x.valid & ~x.fixed)
        for hide in (x.valid, x.valid & (torch.arange(x.tokens.shape[1]) % 2 == 0))
    )

    def apart(z) -> float:
        return float(
            sum(
                state.tokens[i][state.valid[i]].tolist() != z.tokens[i][z.valid[i]].tolist()
                for i in range(len(x.tokens))
            )
        )

    yield Figure(apart(seen), 0, apart(half))
