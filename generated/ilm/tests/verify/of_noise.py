"""Laws of the corruption: who is hidden, when, and what is told of it."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .law import ALARM, Figure, law, needs, when
from .method import Method, called, subsets
from .world import LONGEST, generator, surprise

ROWS = 20_000
timed = when(lambda m: m.defines("noise", "sample_time"), "its noise has no time")
chosen_apart = when(lambda m: m.pinnable, "its process chooses by itself what is hidden")
corrupts = when(lambda m: m.hides != "behind", "nothing is hidden")


def bins(t: Tensor, parts: int) -> Tensor:
    return torch.bincount((t.flatten() * parts).long().clamp(max=parts - 1), minlength=parts)


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


stratified = when(lambda m: m.noise["time"]["kind"] == "stratified", "its times have no strata")


@law("strata of time span the global batch", needs(timed, stratified))
def strata(m: Method) -> Iterator[Figure]:
    """Two ranks of 16 rows, 32 in all: how many of 32 equal parts of time do not hold one time."""
    x = m.examples(*m.world().rows(range(16)))
    draw = m.part("noise").sample_time
    order = torch.randperm(32, generator=generator(5))
    ranks = [x._replace(index=order[r * 16 : (r + 1) * 16], total=32) for r in range(2)]
    t = torch.cat([draw(r, generator(i), edge=1e-9) for i, r in enumerate(ranks)])
    apart = torch.cat([draw(x, generator(i), edge=1e-9) for i in range(2)])
    yield Figure(float((bins(t, 32) != 1).sum()), 0, float((bins(apart, 32) != 1).sum()))


def chosen(m: Method, x, t: Tensor, seed: int = 0) -> Tensor:
    """The set that `choose` hides in each row."""
    scope = {"x": x, "t": t, "schedule": m.schedule, "rng": generator(seed)}
    return called(m.part("noise").choose, scope, getattr(m.config.noise, "count", None))


stated = when(lambda m: m.defines("noise", "likelihood"), "its count states no `likelihood`")


@law("the probabilities of what may be hidden sum to one", needs(chosen_apart, stated))
def sums(m: Method) -> Iterator[Figure]:
    """Of a text of each length, over all its sets, at every time."""
    x = m.examples(*m.world().rows(lengths(m)))._replace(index=torch.arange(1 + LONGEST))
    every, sets = subsets(m, x)

    def off(scale: float) -> float:
        total = torch.zeros(1 + LONGEST, dtype=torch.float64)
        for t, weight in m.times():
            p = weight * scale * m.told("likelihood", every, sets, t)
            total = total.index_add(0, every.index, p)
        return float((total - 1).abs().max())

    yield Figure(off(1.0), 1e-6, off(1.01))


def lengths(m: Method) -> list[int]:
    """A text of each length."""
    texts = m.world().texts
    return [next(i for i, x in enumerate(texts) if len(x) == n) for n in range(1 + LONGEST)]


@law("sets of hidden tokens follow their law", needs(chosen_apart, stated))
def sets(m: Method) -> Iterator[Figure]:
    """Of a text of two and one of three tokens, early and late in the noise, or over all times.

    The control never hides the first.
    """
    rows = m.world().rows
    for n in (2, 3):
        i = lengths(m)[n]
        every, each = subsets(m, m.examples(*rows([i])))
        x = m.examples(*rows([i] * ROWS))
        for at, t in early_and_late(m) if m.law_reads_time else [("over all times", None)]:
            law = m.told("likelihood", every, each, 0.5 if t is None else t)
            even = torch.rand(ROWS, 1, generator=generator(3))
            hidden = chosen(m, x, even if t is None else torch.full((ROWS, 1), t))
            never = hidden & (torch.arange(hidden.shape[1]) != 1)
            right, wrong = (surprise(*patterns(h, each, law)) for h in (hidden, never))
            yield Figure(right, ALARM, wrong, f"{n} tokens {at}")


def early_and_late(m: Method) -> list[tuple[str, float]]:
    """Times at which some tokens are hidden, and most; in words, too."""
    if m.schedule is None:
        return [(f"at t = {t}", t) for t in (0.3, 0.8)]
    alphas = torch.tensor([0.7, 0.25], dtype=torch.float64)
    times = m.schedule.inverse(alphas).tolist()
    return [(f"at alpha = {a:.2g}", t) for a, t in zip(alphas.tolist(), times, strict=True)]


def patterns(hidden: Tensor, sets: Tensor, law: Tensor) -> tuple[Tensor, Tensor]:
    """How often each set was hidden, or any other, of (B, L); and its probability."""
    hit = (hidden[:, None] == sets).all(-1)
    counts = torch.cat([hit.sum(0), (~hit.any(1)).sum()[None]]).double()
    return counts, torch.cat([law, torch.zeros(1)])


def drawn_anew(draw: Callable[[int, int], Tensor], of: str = "") -> Figure:
    """`draw(seed, aside)` of a generator, and of the global one. The control: one seed twice."""

    def wrong(other: int) -> float:
        first = draw(0, 0)
        unlike = not torch.equal(first, draw(0, 1))
        return float(unlike) + float(torch.equal(first, draw(other, 0)))

    return Figure(wrong(1), 0, wrong(0), of)


@law("sets are drawn from their generator, anew each time", chosen_apart)
def draws_anew(m: Method) -> Iterator[Figure]:
    x = m.examples(*m.world().rows())

    def hidden_by(seed: int, aside: int) -> Tensor:
        torch.manual_seed(aside)  # of the global generator, which is not theirs
        return chosen(m, x, torch.full((len(x.tokens), 1), middle(m)), seed)

    yield drawn_anew(hidden_by)


def middle(m: Method) -> float:
    """The time at which half of the tokens are hidden."""
    if m.schedule is None:
        return 0.5
    return float(m.schedule.inverse(torch.tensor(0.5, dtype=torch.float64)))


@law("every set of hidden tokens is trained", needs(chosen_apart, stated), warns=True)
def trained(m: Method) -> Iterator[Figure]:
    """Of three tokens: how many sets never are. The control: all three together are not."""
    x = m.examples(*m.world().rows([lengths(m)[LONGEST]]))
    every, each = subsets(m, x)
    mass = sum(w * m.told("likelihood", every, each, t) for t, w in m.times())
    some = each.any(1)
    never = some & (mass <= 0)
    without = some & ((mass <= 0) | (each.sum(1) == LONGEST))
    yield Figure(float(never.sum()), 0, float(without.sum()))


@law("given tokens and padding are never hidden", needs(corrupts, chosen_apart))
def given(m: Method) -> Iterator[Figure]:
    """How many are, of 4,000 rows with a prompt of one token and a column of padding."""
    w = m.world()
    tokens, valid = w.rows([i % len(w.texts) for i in range(4000)])
    x = m.examples(F.pad(tokens, (0, 1), value=m.vocab.pad), F.pad(valid, (0, 1)), given=1)
    hidden = chosen(m, x, torch.full((len(x.tokens), 1), middle(m)))
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
