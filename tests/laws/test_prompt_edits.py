"""Edits that turn the prompt into the answer: as few as possible, without a leak of the answer.

The number of edits is Levenshtein's, the law of exact rates that of an enumeration.
"""

import importlib
import inspect
import itertools
from collections import Counter, defaultdict

import pytest
import torch
from edit_paths import BOS, PAD, SIZE, Exact, noised
from methods import EDITED, package

from components.process import prompt_edits
from components.types import Examples, Vocab
from xlm_spec.laws.toy_distribution import p_value

SOURCE = (0, 1)
DATA = {(): 0.1, (1,): 0.2, (1, 0): 0.3, (0, 1, 1): 0.25, (0, 0): 0.15}  # answers
VOCAB = Vocab(size=12, pad=11, bos=10)
ALARM = 1e-6  # the false-alarm rate of each chi-square test


def distance(a: list[int], b: list[int]) -> int:
    """Levenshtein's, by his recursion."""
    best = [*range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        before, best = best, [i]
        for j, y in enumerate(b, 1):
            best.append(min(before[j] + 1, best[-1] + 1, before[j - 1] + (x != y)))
    return best[-1]


def examples(pairs: list[tuple[list[int], list[int]]], longest: int) -> Examples:
    """BOS, the prompt, BOS, the answer; shorter prompts have more BOS before them."""
    width = 2 + 2 * longest
    tokens, fixed = torch.full((len(pairs), width), 11), torch.zeros(len(pairs), width).bool()
    valid = fixed.clone()
    for row, (prompt, answer) in enumerate(pairs):
        before = [10] * (1 + longest - len(prompt)) + prompt + [10]
        text = before + answer
        tokens[row, : len(text)] = torch.tensor(text)
        valid[row, : len(text)] = True
        fixed[row, : len(before)] = True
    return Examples(tokens, valid, fixed)


def random_pairs(rows: int, longest: int, words: int = 3) -> list[tuple[list[int], list[int]]]:
    g = torch.Generator().manual_seed(0)
    lengths = torch.randint(0, longest + 1, (rows, 2), generator=g).tolist()
    drawn = torch.randint(0, words, (rows, 2, longest), generator=g).tolist()
    return [(d[0][:n], d[1][:k]) for d, (n, k) in zip(drawn, lengths, strict=True)]


def at(x: Examples, p: float, process=prompt_edits):
    rng = torch.Generator().manual_seed(1)
    return process.noised(x, torch.full((len(x.tokens), 1), p), VOCAB, rng)


def edited(x: Examples, z, row: int) -> list[int]:
    """The sequence after all edits that remain."""
    inserted: dict[int, list[int]] = {}
    for col in x.valid[row].nonzero()[:, 0].tolist():
        if z.dropped[row, col]:
            inserted.setdefault(int(z.gap[row, col]), []).append(int(x.tokens[row, col]))
    found = []
    for j in z.valid[row].nonzero()[:, 0].tolist():
        if not z.wrong[row, j]:
            found.append(int(z.substitute[row, j] if z.other[row, j] else z.tokens[row, j]))
        found += inserted.get(j, [])
    return found


@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_the_edits_that_remain_lead_to_the_answer(p):
    pairs = random_pairs(300, 6)
    x = examples(pairs, 6)
    z = at(x, p)
    for row in range(len(pairs)):
        assert edited(x, z, row) == x.tokens[row][x.valid[row]].tolist()
    assert (z.free | ~(z.wrong | z.other)).all()
    assert not (z.wrong & z.other).any()
    if p == 0:
        assert not z.dropped.any()
        assert not (z.wrong | z.other).any()


def number_of_edits(pairs, process=prompt_edits) -> list[int]:
    z = at(examples(pairs, 9), 1.0, process)
    return (z.dropped.sum(1) + z.wrong.sum(1) + z.other.sum(1)).tolist()


def test_as_few_edits_as_possible():
    """The control: tokens aligned by their place."""
    pairs = random_pairs(400, 9)
    least = [distance(*pair) for pair in pairs]
    assert number_of_edits(pairs) == least
    by_place = [sum(a != b for a, b in itertools.zip_longest(*pair)) for pair in pairs]
    assert sum(by_place) > 1.1 * sum(least)


def test_at_the_start_nothing_depends_on_the_answer():
    """What a model and a sampler see; the control: shortly after the start, something does."""
    pairs = random_pairs(200, 6)
    other = [(prompt, answer[::-1] + [2]) for prompt, answer in pairs if len(answer) < 6]
    pairs = [pair for pair in pairs if len(pair[1]) < 6]

    def seen(pairs, p: float) -> torch.Tensor:
        x = examples(pairs, 6)
        z = at(x, p)
        found = [torch.where(z.valid, a, -1) for a in (z.tokens, z.open.long(), z.free.long())]
        assert z.tokens.shape == x.tokens.shape
        return torch.stack(found)

    assert torch.equal(seen(pairs, 1.0), seen(other, 1.0))
    assert not torch.equal(seen(pairs, 0.9), seen(other, 0.9))


def test_a_sampler_starts_from_a_copy_of_the_prompt():
    pairs = random_pairs(100, 6)
    x, z = examples(pairs, 6), at(examples(pairs, 6), 1.0)
    canvas = x._replace(valid=torch.ones_like(x.valid))
    state = prompt_edits.prior(canvas, VOCAB, torch.Generator())
    assert torch.equal(state.valid, z.valid)
    for row, (prompt, _) in enumerate(pairs):
        tokens = state.tokens[row][state.valid[row]].tolist()
        assert tokens == [10] * (7 - len(prompt)) + prompt + [10] + prompt
    assert torch.equal(state.open & state.valid, z.open & z.valid)
    assert torch.equal(state.fixed, z.valid & ~z.free)


def test_a_longer_prompt_is_copied_as_far_as_there_is_room():
    x = examples([([0, 1, 2, 0], [])], 4)
    cut = Examples(*(a[:, :8] for a in x[:3]))._replace(valid=torch.ones(1, 8).bool())
    state = prompt_edits.prior(cut, VOCAB, torch.Generator())
    assert state.tokens[0].tolist() == [10, 0, 1, 2, 0, 10, 0, 1]


WRONG = {
    "an alignment that never substitutes": ("across <= down", "across < down - 9"),
    "a substitution that costs nothing": ("!= answer[:, None]", "!= answer[:, None] - 99"),
    "insertions that cost nothing": ("down) - index)", "down))"),
    "an insertion behind the next token": ("gap = count - 1 +", "gap = count +"),
    "deleted tokens in front of their place": ("extra.long().cumsum(1) - 1", "0"),
    "padding of the source aligned": ("i < source_length[:, None]", "source_length[:, None] > -1"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_process_is_detected(wrong):
    source, (old, new) = inspect.getsource(prompt_edits), WRONG[wrong]
    assert source.count(old) == 1
    names = {"__package__": "components.process", "__name__": "components.process.wrong"}
    exec(source.replace(old, new), names)
    process = type("Wrong", (), {"noised": staticmethod(names["noised"])})
    pairs = random_pairs(200, 9)
    x = examples(pairs, 9)
    z = at(x, 0.5, process)
    leads = all(
        edited(x, z, row) == x.tokens[row][x.valid[row]].tolist() for row in range(len(pairs))
    )
    assert not leads or number_of_edits(pairs, process) != [distance(*pair) for pair in pairs]


# ---- the exact rates -----------------------------------------------------------------------------


def columns(answer: tuple[int, ...]) -> list[tuple[int | None, int | None]]:
    """The alignment of SOURCE and an answer, as the process has it."""
    a, b = (torch.tensor([v]).long().view(1, -1) for v in (SOURCE, answer))
    aligned, before = prompt_edits.align(
        a, torch.tensor([len(SOURCE)]), b, torch.tensor([len(answer)])
    )
    found: list[tuple[int | None, int | None]] = []
    done = 0
    for token, to, count in zip(SOURCE, aligned[0].tolist(), before[0].tolist(), strict=True):
        until = count if to < 0 else to
        found += [(None, v) for v in answer[done:until]]
        found.append((token, None if to < 0 else answer[to]))
        done = until + (to >= 0)
    return found + [(None, v) for v in answer[done:]]


def chances(alpha: float) -> dict[tuple, float]:
    """P(x_t, its edits)."""
    prefix, found = (BOS, *SOURCE, BOS), defaultdict(float)
    for answer, p in DATA.items():
        pairs = columns(answer)
        for done in itertools.product((False, True), repeat=len(pairs)):
            chance = p * alpha ** sum(done) * (1 - alpha) ** (len(done) - sum(done))
            found[noised(pairs, done, prefix)] += chance
    return found


def test_samples_of_the_exact_model_follow_the_answers(tmp_path):
    """The control: twice the rates."""
    made = package(tmp_path, EDITED, noise="{process: prompt_edits}")
    config = made.Config(
        vocab=made.Vocab(size=SIZE, pad=PAD, bos=BOS),
        sampler=importlib.import_module(f"{made.__name__}.config").Sampler(steps=128),
    )
    tokens = torch.tensor([BOS, *SOURCE, BOS, PAD, PAD, PAD, PAD]).expand(1000, -1)
    fixed = (torch.arange(8) < 4).expand(1000, -1)
    x = made.Examples(tokens, torch.ones_like(fixed), fixed)

    def sampled(faster: float) -> torch.Tensor:
        model = Exact(chances, config.noise.schedule, faster)
        *_, last = made.sample(model, config, x, torch.Generator().manual_seed(0))
        rows = zip(last.tokens, last.valid, strict=True)
        found = Counter(tuple(row[valid].tolist()[4:]) for row, valid in rows)
        return torch.tensor([found[answer] for answer in DATA])

    probabilities = torch.tensor([*DATA.values()])
    right = sampled(1.0)
    assert right.sum() > 0.97 * len(tokens)  # two edits in one step can make another sequence
    assert p_value(right, probabilities) > ALARM
    assert p_value(sampled(2.0), probabilities) < ALARM
