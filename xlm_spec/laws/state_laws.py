"""Laws of a process that states P(z | x, t): the probability of a corrupted sequence z."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .calls import rows_of
from .corrupting import early_and_late, lengths, middle
from .corruptions import likelihood_has_time, states_of, time_grid, unenumerable
from .distinct_rows import distinct_rows
from .law import ALARM, Figure, law, needs, when
from .method import Method
from .samples import new_samples
from .state_fields import draw, lines
from .states import States, seen
from .toy_distribution import LONGEST, generator, surprise

ROWS = 20_000
stated = when(
    lambda m: m.states_likelihood, "the process states no likelihood of corrupted sequences"
)
known = needs(stated, unenumerable)


@law("the probabilities of the corrupted sequences sum to one", known)
def sums(m: Method) -> Iterator[Figure]:
    """All states of every sequence, at every time. The control: 1% more."""
    states = states_of(m, m.toy_distribution())
    totals = torch.stack([states.total(t) for t, _ in time_grid(m)])
    yield Figure(float((totals - 1).abs().max()), 1e-6, float((1.01 * totals - 1).abs().max()))


@law("corrupted sequences follow their likelihood", known)
def follow(m: Method) -> Iterator[Figure]:
    """Sequences of two and of three tokens, at two times. The control: the other time."""
    for n in (2, 3):
        for at, t, other in two_times(m):
            counts, right, wrong = compared(m, lengths(m)[n], t, other)
            yield Figure(
                surprise(counts, right), ALARM, surprise(counts, wrong), f"{n} tokens {at}"
            )


def two_times(m: Method) -> list[tuple[str, float, float]]:
    """Two times, each with its description and with the other one."""
    (first, early), (second, late) = early_and_late(m)
    return [(first, early, late), (second, late, early)]


def compared(m: Method, i: int, t: float, other: float) -> tuple[Tensor, Tensor, Tensor]:
    """Counts of the drawn states of sequence i at a time; their probabilities at two times."""
    states = states_of(m, m.toy_distribution())
    mine = states.x.index == i
    x = m.examples(*m.toy_distribution().batch([i] * ROWS))
    z = draw(m, x, torch.full((ROWS, 1), t), seed=3)
    counts = count(lines(torch.full((ROWS,), i), z), lines(states.x.index, states.z)[mine])
    p, q = (torch.cat([states.p(at)[mine], torch.zeros(1).double()]) for at in (t, other))
    return counts, p, q


def count(drawn: Tensor, known_lines: Tensor) -> Tensor:
    """Counts of each known line, the last entry for any other."""
    index = {tuple(line): i for i, line in enumerate(known_lines.tolist())}
    counts = torch.zeros(len(index) + 1, dtype=torch.float64)
    each, which = distinct_rows(drawn)
    for line, number in zip(each.tolist(), which.bincount().tolist(), strict=True):
        counts[index.get(tuple(line), len(index))] += number
    return counts


def keeps_positions(m: Method) -> str:
    """Do tokens keep their positions?"""
    states = states_of(m, m.toy_distribution())
    same = states.z.tokens.shape == states.x.tokens.shape
    moved = not same or not torch.equal(states.z.valid, states.x.valid)
    return "tokens change their positions" if moved else ""


@law("corruption changes no fixed token and no padding", needs(known, keeps_positions))
def fixed(m: Method) -> Iterator[Figure]:
    """Drawn with a prompt of one token and a column of padding, at a late time."""
    w = m.toy_distribution()
    tokens, valid = w.batch([i % len(w.sequences) for i in range(4000)])
    x = m.examples(F.pad(tokens, (0, 1), value=m.vocab.pad), F.pad(valid, (0, 1)), prompt=1)
    z = draw(m, x, torch.full((len(x.tokens), 1), early_and_late(m)[1][1]))
    changed = (z.tokens != x.tokens) | (z.valid != x.valid)
    free = x.valid & ~x.fixed
    yield Figure(float((changed & ~free).sum()), 0, float((changed & free).sum()))


@law("corruption draws with its generator, anew in each call", known)
def new_states(m: Method) -> Iterator[Figure]:
    x = m.examples(*m.toy_distribution().batch())

    def drawn_by(seed: int, global_seed: int) -> Tensor:
        torch.manual_seed(global_seed)  # must have no effect
        return seen(draw(m, x, torch.full((len(x.tokens), 1), early_and_late(m)[0][1]), seed))

    yield new_samples(drawn_by)


timed = when(lambda m: likelihood_has_time(m), "its likelihood is over all times")


@law("at t = 0 nothing is corrupted", needs(known, timed, keeps_positions))
def clean(m: Method) -> Iterator[Figure]:
    """The probability that any sequence is. The control: at another time."""
    states = states_of(m, m.toy_distribution())
    corrupted = (states.z.tokens != states.x.tokens).any(1)
    largest = [float((states.p(t) * corrupted).max()) for t in (0.0, middle(m))]
    yield Figure(largest[0], 1e-6, largest[1])


@law("samplers start from the noise at t = 1", needs(known, timed))
def starts(m: Method) -> Iterator[Figure]:
    """Initial states of sequences of three tokens, by the likelihood at t = 1 of each.

    The control: the likelihood in the middle.
    """
    states = states_of(m, m.toy_distribution())
    x = m.examples(*m.toy_distribution().batch([lengths(m)[LONGEST]] * ROWS))
    initial = seen(m.call_process("prior", m.scope(x=x, rng=generator(4))))
    worst = [0.0, 0.0]
    for i in states.x.index.unique().tolist():
        mine = states.x.index == i
        if int(states.x.valid[mine][0].sum()) == int(x.valid[0].sum()):
            for j, t in enumerate((1.0, middle(m))):
                worst[j] = max(worst[j], surprise(*by_tokens(initial, states, mine, t)))
    yield Figure(worst[0], ALARM, worst[1])


def by_tokens(tokens: Tensor, states: States, mine: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """Counts of rows of tokens, and their probabilities as states of one sequence."""
    rows = seen(rows_of(states.z, mine))
    each, which = distinct_rows(rows)
    p = torch.zeros(len(each) + 1, dtype=torch.float64)
    return count(tokens, each), p.index_add(0, which, states.p(t)[mine])
