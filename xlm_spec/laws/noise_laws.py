"""Laws of the corruption: times, corrupted sets, and the input of the model."""

import inspect
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .law import ALARM, Figure, law, needs, when
from .law_files import Unverified
from .method import READ, Method, call, subsets
from .toy_distribution import LONGEST, PAD, SIZE, generator, homogeneity, surprise

ROWS = 20_000
timed = when(lambda m: m.defines("noise", "sample_time"), "the noise has no time")
selects_tokens = when(lambda m: m.pinnable, "the process selects the tokens itself")
corrupts = when(lambda m: m.corrupts, "the process corrupts nothing")
samples_noise = when(lambda m: m.defines("objective", "corrupt"), "the process corrupts nothing")


deterministic = when(lambda m: not m.draws, "the process draws")


def process_has(*functions: str) -> Callable[[Method], str]:
    """Has the process a law file with these functions?"""
    return lambda m: m.files.missing(m.process, *functions) or ""


def bins(t: Tensor, parts: int) -> Tensor:
    return torch.bincount((t.flatten() * parts).long().clamp(max=parts - 1), minlength=parts)


def times(m: Method, x, seed: int) -> Tensor:
    """The times of the sequences, by `sample_time` of the package: (B, 1), or one per position."""
    scope = m.scope(x=x, rng=generator(seed))
    return call(m.part("noise").sample_time, scope, m.config.noise.time)


@law(
    "each time is uniformly distributed",
    needs(
        timed,
        when(lambda m: not m.defines("noise", "density"), "the times state another density"),
    ),
)
def uniform_times(m: Method) -> Iterator[Figure]:
    """The time of the first sequence in 4,000 batches of 8; at its last position.

    Without a bound of log p(x), other times can be intended.
    """
    x = m.examples(*m.toy_distribution().batch(range(8)))
    t = torch.stack([times(m, x, i)[0, -1:] for i in range(4000)])
    uniform = torch.full((20,), 1 / 20, dtype=torch.float64)
    right, wrong = (surprise(bins(a, 20).double(), uniform) for a in (t, t**1.3))
    free = not hasattr(m.module, "log_likelihood_bound")
    yield Figure(right, ALARM, wrong, intended=free)


def stratified(m: Method) -> str:
    """Are the times stratified, according to the law file of their component?"""
    law = m.law("time", m.noise["time"]["kind"])
    return "" if getattr(law, "STRATA", False) else "the times have no strata"


@law("time strata cover the global batch", needs(timed, stratified))
def strata(m: Method) -> Iterator[Figure]:
    """Two ranks with 16 sequences each: the number of 32 equal parts without exactly one time."""
    x = m.examples(*m.toy_distribution().batch(range(16)))
    order = torch.randperm(32, generator=generator(5))
    ranks = [x._replace(index=order[r * 16 : (r + 1) * 16], total=32) for r in range(2)]
    t = torch.cat([times(m, r, i) for i, r in enumerate(ranks)])
    apart = torch.cat([times(m, x, i) for i in range(2)])
    yield Figure(float((bins(t, 32) != 1).sum()), 0, float((bins(apart, 32) != 1).sum()))


def selected(m: Method, x, t: Tensor, seed: int = 0) -> Tensor:
    """The set that `select_tokens` selects in each row; numbers, if it has several kinds."""
    scope = m.scope(x=x, t=t, rng=generator(seed))
    return call(m.part("noise").select_tokens, scope, getattr(m.config.noise, "count", None))


def stated(m: Method) -> str:
    """Has the count a `likelihood`, which that of a process replaces?"""
    if m.states_likelihood:
        return "the process states the likelihood of corrupted sequences"
    return m.of_count or ""


@law("the probabilities of the corrupted sets sum to one", needs(selects_tokens, stated))
def sums(m: Method) -> Iterator[Figure]:
    """For a sequence of each length, over all its sets, at every time."""
    x = m.examples(*m.toy_distribution().batch(lengths(m)))._replace(
        index=torch.arange(1 + LONGEST)
    )
    every, sets = subsets(m, x)

    def deviation(scale: float) -> float:
        total = torch.zeros(1 + LONGEST, dtype=torch.float64)
        for t, weight in m.time_grid():
            p = weight * scale * m.evaluate("likelihood", every, sets, t)
            total = total.index_add(0, every.index, p)
        return float((total - 1).abs().max())

    yield Figure(deviation(1.0), 1e-6, deviation(1.01))


def lengths(m: Method) -> list[int]:
    """The index of a sequence of each length."""
    sequences = m.toy_distribution().sequences
    return [next(i for i, x in enumerate(sequences) if len(x) == n) for n in range(1 + LONGEST)]


def sets_known(m: Method) -> str:
    """Is the probability of each set known, from the count or from the law of the process?"""
    if m.states_likelihood:
        return "the process states the likelihood of corrupted sequences"
    if m.pinnable:
        return stated(m)
    return process_has("outcomes")(m) if m.corrupts else selects_tokens(m)


@law("sets of corrupted tokens follow their distribution", sets_known)
def sets(m: Method) -> Iterator[Figure]:
    """Sequences of two and of three tokens, at two times, or over all times."""
    yield from selected_sets(m) if m.pinnable else outcomes(m)


def outcomes(m: Method) -> Iterator[Figure]:
    """The input of the model over all times. The control: every tenth sequence stays clean."""
    for n in (2, 3):
        i = lengths(m)[n]
        x = m.examples(*m.toy_distribution().batch([i] * ROWS))
        tokens = tuple(x.tokens[0][x.valid[0] & ~x.fixed[0]].tolist())
        scope = m.scope(tokens=tokens)
        settings = getattr(m.config.noise, "process", None)
        p = call(m.of_process("outcomes"), scope, settings)
        times = torch.rand(ROWS, 1, generator=generator(3))
        z = corrupt(m, x, x.valid & ~x.fixed, times)
        seen = z.tokens.masked_fill(~z.valid, PAD)[:, 1:]
        clean = F.pad(x.tokens.masked_fill(~x.valid, PAD), (0, seen.shape[1]), value=PAD)
        other = seen.clone()
        other[::10] = clean[::10, 1 : 1 + seen.shape[1]]
        right, wrong = (surprise(*count_outcomes(a, p)) for a in (seen, other))
        yield Figure(right, ALARM, wrong, f"{n} tokens over all times")


def count_outcomes(tokens: Tensor, p: dict[tuple[int, ...], float]) -> tuple[Tensor, Tensor]:
    """Counts of each outcome in (B, L), the last entry for any other; its probabilities."""
    index = {outcome: i for i, outcome in enumerate(p)}
    counts = torch.zeros(len(p) + 1, dtype=torch.float64)
    lines, n = tokens.unique(dim=0, return_counts=True)
    for line, count in zip(lines.tolist(), n.tolist(), strict=True):
        counts[index.get(tuple(v for v in line if v != PAD), len(p))] += count
    return counts, torch.tensor([*p.values(), 0.0], dtype=torch.float64)


def selected_sets(m: Method) -> Iterator[Figure]:
    """The sets of `select_tokens`. The control: the first token is never selected."""
    batch = m.toy_distribution().batch
    for n in (2, 3):
        i = lengths(m)[n]
        every, each = subsets(m, m.examples(*batch([i])))
        x = m.examples(*batch([i] * ROWS))
        for at, t in early_and_late(m) if m.likelihood_has_time else [("over all times", None)]:
            p = m.evaluate("likelihood", every, each, 0.5 if t is None else t)
            uniform = torch.rand(ROWS, 1, generator=generator(3))
            corrupted = selected(m, x, uniform if t is None else torch.full((ROWS, 1), t))
            other = corrupted & (torch.arange(corrupted.shape[1]) != 1)
            right, wrong = (surprise(*count_sets(a, each, p)) for a in (corrupted, other))
            yield Figure(right, ALARM, wrong, f"{n} tokens {at}")


def early_and_late(m: Method) -> list[tuple[str, float]]:
    """A time with few and one with many corrupted tokens, each with its description."""
    if m.schedule is None:
        return [(f"at t = {t}", t) for t in (0.3, 0.8)]
    alphas = torch.tensor([0.7, 0.25], dtype=torch.float64)
    times = m.schedule.inverse(alphas).tolist()
    return [(f"at alpha = {a:.2g}", t) for a, t in zip(alphas.tolist(), times, strict=True)]


def count_sets(corrupted: Tensor, sets: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    """Counts of each set in (B, L), the last entry for any other; its probabilities."""
    hit = (corrupted[:, None] == sets).all(-1)
    counts = torch.cat([hit.sum(0), (~hit.any(1)).sum()[None]]).double()
    return counts, torch.cat([p, torch.zeros(1)])


def new_samples(sample: Callable[[int, int], Tensor], of: str = "") -> Figure:
    """`sample(seed, global_seed)` depends on the first only. The control: the same seed twice."""

    def wrong(other: int) -> float:
        first = sample(0, 0)
        depends = not torch.equal(first, sample(0, 1))
        return float(depends) + float(torch.equal(first, sample(other, 0)))

    return Figure(wrong(1), 0, wrong(0), of)


@law("corruption uses its generator, with new samples in each call", selects_tokens)
def new_sets(m: Method) -> Iterator[Figure]:
    x = m.examples(*m.toy_distribution().batch())

    def corrupted_by(seed: int, global_seed: int) -> Tensor:
        torch.manual_seed(global_seed)  # must have no effect
        return selected(m, x, torch.full((len(x.tokens), 1), middle(m)), seed)

    yield new_samples(corrupted_by)


def middle(m: Method) -> float:
    """The time at which half of the tokens are corrupted."""
    if m.schedule is None:
        return 0.5
    return float(m.schedule.inverse(torch.tensor(0.5, dtype=torch.float64)))


@law("every set of corrupted tokens is trained", needs(selects_tokens, stated), warns=True)
def trained(m: Method) -> Iterator[Figure]:
    """The number of untrained sets of three tokens. The control: the full set is not trained."""
    x = m.examples(*m.toy_distribution().batch([lengths(m)[LONGEST]]))
    every, each = subsets(m, x)
    mass = sum(w * m.evaluate("likelihood", every, each, t) for t, w in m.time_grid())
    nonempty = each.any(1)
    untrained = nonempty & (mass <= 0)
    other = nonempty & ((mass <= 0) | (each.sum(1) == LONGEST))
    yield Figure(float(untrained.sum()), 0, float(other.sum()))


@law("fixed tokens and padding are never corrupted", needs(corrupts, selects_tokens))
def fixed(m: Method) -> Iterator[Figure]:
    """4,000 sequences with a prompt of one token and a column of padding; the corrupted ones."""
    w = m.toy_distribution()
    tokens, valid = w.batch([i % len(w.sequences) for i in range(4000)])
    x = m.examples(F.pad(tokens, (0, 1), value=m.vocab.pad), F.pad(valid, (0, 1)), prompt=1)
    corrupted = selected(m, x, torch.full((len(x.tokens), 1), middle(m))).bool()
    free = x.valid & ~x.fixed
    yield Figure(float((corrupted & ~free).sum()), 0, float((corrupted & free).sum()))


def intended(m: Method) -> bool:
    """Does the law file of the process say that it hides fixed tokens on purpose?"""
    return bool(m.of_process("HIDES_FIXED"))


@law("corrupted sequences keep their fixed tokens and padding", samples_noise)
def kept(m: Method) -> Iterator[Figure]:
    """2,000 sequences with a prompt, a fixed token after a gap and padding, all of one token that
    no free position has; what `corrupt` returns in the objective.

    The number of sequences with a fixed token that is changed, moved or missing, or with padding
    among the tokens. The control: the fixed tokens of other sequences.
    """
    x = marked(m)
    z = corrupted_by_objective(m, x)
    control = x._replace(tokens=x.tokens.masked_fill(x.tokens == SIZE - 1, 0))
    moved = not {*m.wires} <= READ  # a model that reads more can be given the positions of tokens
    wrong = lost(z, x, moved)
    of = f"{wrong} of {len(x.tokens)} sequences"
    detail = f"`corrupt` changes the fixed tokens or the padding of {of}"
    yield Figure(wrong, 0, lost(z, control, moved), detail=detail, intended=intended(m))


def marked(m: Method):
    """Examples: BOS, a prompt of one token, a free canvas with one fixed token, two of padding."""
    rows, width = 2000, 2 + LONGEST + 1 + LONGEST
    tokens = torch.randint(0, SIZE - 1, (rows, width + 2), generator=generator(4))
    position = torch.arange(width + 2)
    fixed = ((position < 2) | (position == 2 + LONGEST)).expand_as(tokens)
    tokens = tokens.masked_fill(fixed, SIZE - 1)
    tokens[:, 0] = m.vocab.bos
    valid = (position < width - 2 * (torch.arange(rows) % 2)[:, None]).expand_as(tokens)
    tokens = tokens.masked_fill(~valid, m.vocab.pad)
    return m.module.Examples(tokens, valid, fixed & valid)


def corrupted_by_objective(m: Method, x):
    """What `corrupt` returns in the objective, with a small model. Raises Unverified."""
    with torch.no_grad(), m.noised() as seen:
        m.module.objective(m.small_model().float(), x, m.config, generator(6))
    z = seen[0]
    rows = z.tokens.shape[:1] == x.tokens.shape[:1] and z.tokens.dim() == 2
    if not rows or z.tokens.is_floating_point():
        raise Unverified("the corrupted sequences are not rows of token ids")
    return z


def lost(z, x, moved: bool = False) -> int:
    """The number of rows of x whose fixed tokens or padding z does not keep.

    In place if z has the positions of x, otherwise, or if tokens can be `moved`, in order.
    """
    same = z.valid.shape == x.valid.shape and not moved
    if same and float((z.valid == x.valid).all(1).float().mean()) > 0.5:
        wrong = ((z.tokens != x.tokens) & x.fixed).any(1) | (z.valid & ~x.valid).any(1)
        return int(wrong.sum())
    rows = zip(z.tokens, z.valid, x.tokens, x.fixed, strict=True)
    return sum(not in_order(after[v].tolist(), x_i[f].tolist()) for after, v, x_i, f in rows)


def in_order(tokens: list[int], fixed: list[int]) -> bool:
    """Are the fixed tokens a subsequence, and are the tokens without padding?"""
    rest = iter(tokens)
    return PAD not in tokens and all(v in rest for v in fixed)


@law(
    "selected tokens are corrupted, and no others change",
    needs(corrupts, selects_tokens, deterministic, process_has("model_input")),
)
def inputs(m: Method) -> Iterator[Figure]:
    """Positions at which the input of the model differs. The control: the clean sequence."""
    w, model_input = m.toy_distribution(), m.of_process("model_input")
    x = m.examples(*w.batch())
    corrupted = (torch.rand(x.tokens.shape, generator=generator(1)) < 0.5) & x.valid & ~x.fixed
    z = corrupt(m, x, corrupted)
    seen = z.tokens.masked_fill(~z.valid, PAD)
    right = torch.full_like(x.tokens, PAD)
    for i in range(len(x.tokens)):
        positions = corrupted[i].nonzero()[:, 0].tolist()
        tokens, valid = model_input(x.tokens[i], x.valid[i], positions, m.vocab)
        right[i, : int(valid.sum())] = tokens[valid]
    seen = F.pad(seen, (0, right.shape[1] - seen.shape[1]), value=PAD)
    clean = x.tokens.masked_fill(~x.valid, PAD)
    yield Figure(float((seen != right).sum()), 0, float((seen != clean).sum()))


def corrupt(m: Method, x, corrupted: Tensor, t: Tensor | None = None):
    """The corrupted batch, by `corrupt` of the package."""
    t = torch.full((len(x.tokens), 1), 0.5) if t is None else t
    scope = m.scope(x=x, corrupted=corrupted, rng=generator(), t=t)
    return call(m.part("noise").corrupt, scope, getattr(m.config.noise, "process", None))


@law("samplers start from the fully corrupted sequence", needs(corrupts, selects_tokens))
def starts(m: Method) -> Iterator[Figure]:
    """The free positions of the initial state, and of a sequence with all free tokens corrupted.

    The number of sequences that differ; if the noise is random, the surprise of one distribution
    given the other. The control: every other token is corrupted.
    """
    w = m.toy_distribution()
    sample = m.corrupts_at_random or "rng" in inspect.signature(m.part("noise").prior).parameters
    which = [lengths(m)[LONGEST]] * ROWS if sample else None
    x = m.examples(*w.batch(which), prompt=0 if sample else 1)
    state = initial(m, x)
    last = torch.ones(len(x.tokens), 1)
    free, odd = x.valid & ~x.fixed, torch.arange(x.tokens.shape[1]) % 2 == 0
    every = selected(m, x, last)
    every = free if every.dtype == torch.bool else every  # numbers: the kinds at t = 1
    full, half = (corrupt(m, x, every * a, last) for a in (free, free & odd))
    compare, most = (two_samples, ALARM) if sample else (differing, 0)
    yield Figure(compare(x, state, full), most, compare(x, state, half))


def initial(m: Method, x):
    """The initial state of samplers, from `prior` of the package."""
    scope = m.scope(x=x, rng=generator(8))
    return call(m.part("noise").prior, scope, getattr(m.config.noise, "process", None))


def free_tokens(x, z) -> Tensor:
    """The tokens of z, with those of x at the fixed positions if z has the positions of x."""
    tokens = z.tokens.masked_fill(~z.valid, PAD)
    return torch.where(x.fixed, x.tokens, tokens) if z.valid.equal(x.valid) else tokens


def differing(x, state, z) -> float:
    """The number of rows in which the tokens differ."""
    a, b = (free_tokens(x, y) for y in (state, z))
    rows = zip(a.tolist(), b.tolist(), strict=True)
    return float(sum([v for v in p if v != PAD] != [v for v in q if v != PAD] for p, q in rows))


def two_samples(x, state, z) -> float:
    """The surprise of a chi-square test that the rows of both follow one distribution."""
    a, b = (free_tokens(x, y) for y in (state, z))
    width = max(a.shape[1], b.shape[1])
    both = torch.cat([F.pad(y, (0, width - y.shape[1]), value=PAD) for y in (a, b)])
    _, which = both.unique(dim=0, return_inverse=True)
    counts = [torch.bincount(half, minlength=int(which.max()) + 1) for half in which.split(len(a))]
    return homogeneity(*(c.double() for c in counts))
