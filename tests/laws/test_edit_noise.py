"""Edits from a random source against an enumeration: what remains of each sequence, and the law of
their exact rates. The enumeration shares no code with the components."""

import importlib
import inspect
import itertools
import math
from collections import Counter, defaultdict
from functools import partial

import pytest
import torch
from edit_paths import BOS, DELETE, GONE, INSERT, PAD, SIZE, SUBSTITUTE, Exact, noised
from methods import EDITED, package

from xlm_spec.laws.toy_distribution import p_value, quadrature

DATA = {(0,): 0.3, (1, 0): 0.5, (0, 1, 1): 0.2}
WORDS = 2
LONGEST = 2  # of the source
ALARM = 1e-6  # the false-alarm rate of each chi-square test


def paths(longest: int):
    """(probability, jumps made, all jumps, x_t, its edits) of each sequence, source and x_t.

    An edit is (kind, position, token); the alignment is that of the j-th tokens.
    """
    for x, p_x in DATA.items():
        for length in range(longest + 1):
            for source in itertools.product(range(WORDS), repeat=length):
                p = p_x / (longest + 1) / WORDS**length
                columns = [*itertools.zip_longest(source, x)]
                for done in itertools.product((False, True), repeat=len(columns)):
                    yield p, sum(done), len(columns), *noised(columns, done)


def chances(longest: int, alpha: float) -> dict[tuple, float]:
    """P(x_t, its edits)."""
    found: dict[tuple, float] = defaultdict(float)
    for p, made, n, state, edits in paths(longest):
        found[state, edits] += p * alpha**made * (1 - alpha) ** (n - made)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The package."""
    return package(tmp_path_factory.mktemp("edits"), EDITED)


def part(made, name: str):
    return importlib.import_module(f"{made.__name__}.{name}")


def config_of(made, steps: int = 1):
    return made.Config(
        vocab=made.Vocab(size=SIZE, pad=PAD, bos=BOS),
        noise=part(made, "config").Noise(process=part(made, "config").NoiseProcess(LONGEST)),
        sampler=part(made, "config").Sampler(steps=steps),
    )


def drawn(made, t: float, longest: int, rows: int):
    """Sequences of DATA, x_t, and what remains of each: (x_t, edits)."""
    noise, config = part(made, "noise"), config_of(made)
    rng = torch.Generator().manual_seed(0)
    which = torch.tensor([*DATA.values()]).multinomial(rows, replacement=True, generator=rng)
    padded = torch.tensor([[BOS, *x] + [PAD] * (3 - len(x)) for x in DATA])
    tokens = padded[which]
    position = torch.arange(4).expand_as(tokens)
    x = made.Examples(tokens, tokens != PAD, position == 0)
    time, schedule = torch.full((rows, 1), t), config.noise.schedule
    z = noise.corrupt(x, time, schedule, config.vocab, rng, longest=longest)
    target = part(made, "target").gap_tokens(x, z.dropped, z.gap, z.open)
    edits: list[list] = [[] for _ in range(rows)]
    for row, col, token in zip(*(a.tolist() for a in target[:3]), strict=True):
        edits[row].append((INSERT, col, token))
    for row, col in z.wrong.nonzero().tolist():
        edits[row].append((DELETE, col, GONE))
    for row, col in z.other.nonzero().tolist():
        edits[row].append((SUBSTITUTE, col, int(z.substitute[row, col])))
    states = [tuple(r[v].tolist()) for r, v in zip(z.tokens, z.valid, strict=True)]
    return x, z, [(s, tuple(sorted(e))) for s, e in zip(states, edits, strict=True)]


@pytest.mark.parametrize("t", [0.2, 0.6])
def test_what_remains_follows_its_enumeration(made, t):
    """The control: other probabilities of the same sequences."""
    *_, found = drawn(made, t, LONGEST, 20_000)
    counted = Counter(found)

    def p(alpha: float) -> float:
        right = chances(LONGEST, alpha)
        keys = [*right, *(k for k in counted if k not in right)]
        p = torch.tensor([right.get(k, 0.0) for k in keys])
        return p_value(torch.tensor([counted[k] for k in keys]), p)

    alpha = float(config_of(made).noise.schedule.alpha(torch.tensor(t)))
    assert p(alpha) > ALARM
    assert p(alpha + 0.05) < ALARM


WRONG = {
    "a source without its longest length": ("u[..., 0] * (longest + 1)", "u[..., 0] * longest"),
    "one token of the source too many": ("(place <= rest)", "(place <= rest + 1)"),
    "tokens of the source that are never deleted": ("& (u < p[..., None])", "& (u < 1)"),
    "tokens of x_0 in place of the source": (
        "torch.where((place > 0) | corrupted[..., None], source, clean)",
        "torch.where((place > 0) & (u < 2), source, clean)",
    ),
    "a blank counted as a token": ("(rest[..., 0] < 0)", "(rest[..., 0] <= 0)"),
    "a missing token behind the wrong token": (
        "cumsum(1)[:, :: 1 + longest] - 1",
        "cumsum(1)[:, :: 1 + longest].clamp(max=width - 1)",
    ),
    "a deleted token that is substituted": ("other = (place == 0) & (tokens", "other = (tokens"),
    "the wrong share of edits": (
        "return noised(x, 1 - schedule.alpha(t), vocab",
        "return noised(x, t**2, vocab",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_process_is_detected(made, wrong, monkeypatch):
    """Its edits do not follow the enumeration; the control is the test above."""
    noise, (old, new) = part(made, "noise"), WRONG[wrong]
    source, names = inspect.getsource(noise), {**vars(noise)}
    assert source.count(old) == 1
    exec(source.replace(old, new), names)
    monkeypatch.setattr(noise, "corrupt", names["corrupt"])
    alpha = float(config_of(made).noise.schedule.alpha(torch.tensor(0.6)))
    right = chances(LONGEST, alpha)
    counted = Counter(drawn(made, 0.6, LONGEST, 5000)[2])
    keys = [*right, *(k for k in counted if k not in right)]
    p = torch.tensor([right.get(k, 0.0) for k in keys])
    assert p_value(torch.tensor([counted[k] for k in keys]), p) < ALARM


def terms(made, model, hidden, x, z):
    """The sum of the losses at each position, (B, W)."""
    target, loss = part(made, "target"), part(made, "loss")
    counts = target.gap_counts(z.dropped, z.gap, z.open, z.dropped_p)
    tokens = target.gap_tokens(x, z.dropped, z.gap, z.open)
    deletions = target.deletions(z.free, z.wrong, z.dropped_p)
    substitutions = target.substitutions(z.free, z.other, z.dropped_p)
    return (
        loss.count_divergence(model, hidden, counts)
        + loss.per_gap_cross_entropy(model, hidden, tokens)
        + loss.delete_divergence(model, hidden, deletions)
        + loss.substitute_divergence(model, hidden, substitutions)
        + loss.cross_entropy(model, hidden, target.substitutes(z.other, z.substitute))
    )


def nats(made, t: float, longest: int, rows, faster: float = 1.0):
    """The expected loss at t with the exact model, and its gradient by the log of each number."""
    schedule = config_of(made).noise.schedule
    time = torch.tensor([[t]]).double()
    right = chances(longest, float(schedule.alpha(time)))
    x, z, found = rows
    first = {case: i for i, case in reversed([*enumerate(found)])}
    assert {*first} == {*right}
    at = torch.tensor([first[case] for case in right])
    x, z = type(x)(*(a[at] for a in x[:3])), type(z)(*(a[at] for a in z))
    model = Exact(partial(chances, longest), schedule, faster)
    hidden = model(z.tokens, z.valid, time)
    states = [state for state, _ in right]
    of_state = torch.tensor([states.index(state) for state in states])
    change = torch.zeros_like(hidden).requires_grad_()
    z = z._replace(dropped_p=(1 - schedule.alpha(time)).expand(len(at), 1))
    loss = terms(made, model, hidden * change[of_state].exp(), x, z)
    mean = torch.tensor([*right.values()], dtype=torch.float64) @ loss.sum(1)
    [gradient] = torch.autograd.grad(mean, change)
    return float(mean.detach()), float(gradient.abs().max())


@pytest.mark.parametrize("t", [0.2, 0.6])
def test_exact_rates_minimise_the_loss(made, t):
    """It is convex in the logs. The control: rates that are a tenth too high."""
    rows = drawn(made, 0.5, LONGEST, 20_000)
    assert nats(made, t, LONGEST, rows)[1] < 1e-9
    assert nats(made, t, LONGEST, rows, faster=1.1)[1] > 1e-3


def test_from_an_empty_source_the_bound_is_the_entropy(made):
    """From a random one it is looser: its rates do not depend on the path. The control: a rate."""
    entropy = -sum(p * math.log(p) for p in DATA.values())
    noise, schedule = part(made, "noise"), config_of(made).noise.schedule

    def bound(longest: int, **changes: float) -> float:
        rows = drawn(made, 0.5, longest, 20_000)
        total = 0.0
        for t, weight in zip(*(a.tolist() for a in quadrature(12)), strict=True):
            rate = noise.edit_rate(torch.tensor(t).double(), schedule)
            total += weight * float(rate) * nats(made, t, longest, rows, **changes)[0]
        return total

    assert abs(bound(0) - entropy) < 1e-4
    assert bound(0, faster=1.1) > entropy + 1e-3
    assert bound(LONGEST) > entropy + 0.05


def test_samples_of_the_exact_model_follow_the_data(made):
    """The control: twice the rates."""
    config = config_of(made, steps=256)
    tokens = torch.full((2000, 5), BOS)
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, 0] = True
    x = made.Examples(tokens, torch.ones_like(fixed), fixed)

    def sampled(faster: float) -> torch.Tensor:
        model = Exact(partial(chances, LONGEST), config.noise.schedule, faster)
        rng = torch.Generator().manual_seed(0)
        *_, last = made.sample(model, config, x, rng)
        rows = zip(last.tokens, last.valid, strict=True)
        found = Counter(tuple(tokens[valid].tolist()[1:]) for tokens, valid in rows)
        return torch.tensor([found[sequence] for sequence in DATA])

    probabilities = torch.tensor([*DATA.values()])
    right = sampled(1.0)
    assert right.sum() > 0.98 * len(tokens)  # two edits in one step can make another sequence
    assert p_value(right, probabilities) > ALARM
    assert p_value(sampled(2.0), probabilities) < ALARM


def edit_noise(made, t: float, rows: int = 400):
    """Sequences of three tokens after BOS, and their noise at time t."""
    tokens = torch.randint(0, 8, (rows, 4), generator=torch.Generator().manual_seed(1))
    tokens[:, 0] = made.Config.small().vocab.bos
    fixed = torch.zeros_like(tokens, dtype=torch.bool)
    fixed[:, 0] = True
    x = made.Examples(tokens, torch.ones_like(fixed), fixed)
    noise, config = part(made, "noise"), made.Config.small()
    time, rng = torch.full((rows, 1), t), torch.Generator().manual_seed(0)
    schedule = config.noise.schedule
    z = noise.corrupt(x, time, schedule, config.vocab, rng, longest=6)
    return x, z, part(made, "target").gap_tokens(x, z.dropped, z.gap, z.open)


@pytest.mark.parametrize("t", [1e-4, 0.5, 1.0])
def test_the_edits_that_remain_turn_the_noise_into_the_sequence(made, t):
    """In any row, at any time: after all of them it is x_0."""
    x, z, missing = edit_noise(made, t)
    inserted: dict[tuple[int, int], list[int]] = {}
    for row, col, token in zip(*(a.tolist() for a in missing[:3]), strict=True):
        inserted.setdefault((row, col), []).append(token)
    for i in range(len(x.tokens)):
        edited = []
        for j in z.valid[i].nonzero()[:, 0].tolist():
            if not z.wrong[i, j]:
                edited.append(int(z.substitute[i, j] if z.other[i, j] else z.tokens[i, j]))
            edited += inserted.get((i, j), [])
        assert edited == x.tokens[i].tolist()
    assert not (z.wrong & z.other).any()
    assert (z.free | ~(z.wrong | z.other)).all()


def test_each_kind_of_edit_occurs(made):

    def numbers(t: float) -> list[int]:
        _, z, _ = edit_noise(made, t)
        return [int(a.sum()) for a in (z.dropped, z.wrong, z.other)]

    assert min(numbers(1.0)) > 100
    assert sum(numbers(1e-4)) < 10


@pytest.mark.parametrize("rows", [1, 50])
def test_a_source_is_cut_to_the_canvas_whatever_the_other_rows_are(made, rows):
    """Two fixed tokens, a gap after each: with room for 3 tokens, and for 2 sources of up to 6."""
    noise, config = part(made, "noise"), made.Config.small()
    bos = config.vocab.bos
    totals = []
    for width in (5, 14):
        tokens = torch.full((rows, width), bos)
        fixed = (torch.arange(width) < 2).expand_as(tokens)
        x = made.Examples(tokens, fixed, fixed, gaps=fixed)
        seeds = range(1000 // rows)
        rngs = [torch.Generator().manual_seed(seed) for seed in seeds]
        states = [noise.prior(x, config.vocab, rng, longest=6) for rng in rngs]
        assert {s.tokens.shape[1] for s in states} == {width}
        assert {int(n) for s in states for n in s.fixed.sum(1)} == {2}
        totals.append(torch.cat([s.valid.sum(1) for s in states]) - 2)
    sums = torch.tensor([min(n, 12 - n) + 1 for n in range(13)]) / 49  # of two of U{0, ..., 6}
    assert p_value(torch.bincount(totals[1], minlength=13), sums) > ALARM
    cut = torch.cat([sums[:3], sums[3:].sum()[None]])
    assert p_value(torch.bincount(totals[0], minlength=4), cut) > ALARM
    assert p_value(torch.bincount(totals[0], minlength=13), sums) < ALARM


class Certain:
    """A model of edits that happen in the next step."""

    def __init__(self, *edits: tuple[int, int, int]):
        self.table = torch.zeros(1, 7, 3, 6)
        for kind, position, token in edits:
            self.table[0, position, kind, token] = 1e3

    def __call__(self, tokens, valid, t):
        return self.table

    def gap_count(self, hidden):
        return hidden[..., INSERT, :].sum(-1)

    def delete_rate(self, hidden):
        return hidden[..., DELETE, :].sum(-1)

    def substitute_rate(self, hidden):
        return hidden[..., SUBSTITUTE, :].sum(-1)

    def gap_token_logits(self, hidden):
        return hidden[..., INSERT, :]

    def token_logits(self, hidden):
        return hidden[..., SUBSTITUTE, :]


def test_edits_of_one_step_do_not_disturb_each_other(made):
    """0 becomes 4; 1 is deleted, and 3 is inserted after it; 5 is inserted after 2."""
    edits = (SUBSTITUTE, 1, 4), (DELETE, 2, GONE), (INSERT, 2, 3), (INSERT, 3, 5)
    valid = torch.tensor([[True] * 4 + [False] * 3])
    fixed = torch.tensor([[True] + [False] * 6])
    state = part(made, "types").GapState(torch.tensor([[9, 0, 1, 2, 9, 9, 9]]), valid, fixed, valid)
    config, rng = config_of(made), torch.Generator().manual_seed(0)
    schedule, draw = config.noise.schedule, config.sampler.tokens
    t, s = torch.ones(1, 1), torch.zeros(1, 1)
    after = part(made, "sampler").step(Certain(*edits), state, t, s, schedule, draw, rng)
    assert after.tokens[after.valid].tolist() == [9, 4, 3, 2, 5]
    assert torch.equal(after.fixed, fixed)
    assert torch.equal(after.open, after.valid)
