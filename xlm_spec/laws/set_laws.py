"""Laws of the corrupted sets: which tokens `select_tokens` selects, and how often."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .calls import call
from .conditions import corrupts, process_has, selects_tokens, stated
from .corrupting import corrupt, early_and_late, lengths, middle, selected
from .corruptions import evaluate, likelihood_has_time, rank, subsets, time_grid
from .law import ALARM, Figure, law, needs
from .method import Method
from .samples import count_outcomes, new_samples
from .toy_distribution import LONGEST, PAD, generator, surprise

ROWS = 20_000


@law("the probabilities of the corrupted sets sum to one", needs(selects_tokens, stated))
def sums(m: Method) -> Iterator[Figure]:
    """For a sequence of each length, over all its sets, at every time."""
    x = m.examples(*m.toy_distribution().batch(lengths(m)))._replace(
        index=torch.arange(1 + LONGEST)
    )
    every, sets = subsets(x)

    def deviation(scale: float) -> float:
        total = torch.zeros(1 + LONGEST, dtype=torch.float64)
        for t, weight in time_grid(m):
            p = weight * scale * evaluate(m, "likelihood", every, sets, t)
            total = total.index_add(0, every.index, p)
        return float((total - 1).abs().max())

    yield Figure(deviation(1.0), 1e-6, deviation(1.01))


def sets_known(m: Method) -> str:
    """Is the probability of each set known, from the count or from the law of the process?"""
    if m.states_likelihood:
        return "the process states the likelihood of corrupted sequences"
    if m.pinnable:
        return stated(m)
    if m.corrupts and rank(m):
        return "the process draws the tokens itself, at times that are not uniform"
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
        settings = getattr(m.noise_config, "process", None)
        p = call(m.of_process("outcomes"), scope, settings)
        times = torch.rand(ROWS, 1, generator=generator(3))
        z = corrupt(m, x, x.valid & ~x.fixed, times)
        seen = z.tokens.masked_fill(~z.valid, PAD)[:, 1:]
        clean = F.pad(x.tokens.masked_fill(~x.valid, PAD), (0, seen.shape[1]), value=PAD)
        other = seen.clone()
        other[::10] = clean[::10, 1 : 1 + seen.shape[1]]
        right, wrong = (surprise(*count_outcomes(a, p)) for a in (seen, other))
        yield Figure(right, ALARM, wrong, f"{n} tokens over all times")


def selected_sets(m: Method) -> Iterator[Figure]:
    """The sets of `select_tokens`. The control: the first token is never selected."""
    batch = m.toy_distribution().batch
    for n in (2, 3):
        i = lengths(m)[n]
        every, each = subsets(m.examples(*batch([i])))
        x = m.examples(*batch([i] * ROWS))
        for at, t in early_and_late(m) if likelihood_has_time(m) else [("over all times", None)]:
            p = evaluate(m, "likelihood", every, each, 0.5 if t is None else t)
            uniform = torch.rand(ROWS, 1, generator=generator(3))
            corrupted = selected(m, x, uniform if t is None else torch.full((ROWS, 1), t))
            other = corrupted & (torch.arange(corrupted.shape[1]) != 1)
            right, wrong = (surprise(*count_sets(a, each, p)) for a in (corrupted, other))
            yield Figure(right, ALARM, wrong, f"{n} tokens {at}")


def count_sets(corrupted: Tensor, sets: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    """Counts of each set in (B, L), the last entry for any other; its probabilities."""
    hit = (corrupted[:, None] == sets).all(-1)
    counts = torch.cat([hit.sum(0), (~hit.any(1)).sum()[None]]).double()
    return counts, torch.cat([p, torch.zeros(1)])


@law("corruption uses its generator, with new samples in each call", selects_tokens)
def new_sets(m: Method) -> Iterator[Figure]:
    x = m.examples(*m.toy_distribution().batch())

    def corrupted_by(seed: int, global_seed: int) -> Tensor:
        torch.manual_seed(global_seed)  # must have no effect
        return selected(m, x, torch.full((len(x.tokens), 1), middle(m)), seed)

    yield new_samples(corrupted_by)


@law("every set of corrupted tokens is trained", needs(selects_tokens, stated), warns=True)
def trained(m: Method) -> Iterator[Figure]:
    """The number of untrained sets of three tokens. The control: the full set is not trained."""
    x = m.examples(*m.toy_distribution().batch([lengths(m)[LONGEST]]))
    every, each = subsets(x)
    mass = sum(w * evaluate(m, "likelihood", every, each, t) for t, w in time_grid(m))
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
