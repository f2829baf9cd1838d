"""Expected missing tokens (DID) against the tokens that were dropped (ILM), by enumeration.

All sets of the free tokens of a sequence, on components and without a network.
"""

from collections import defaultdict
from itertools import combinations
from math import comb
from types import SimpleNamespace

import pytest
import torch

from components.loss.gap_cross_entropy import gap_cross_entropy
from components.loss.per_gap_cross_entropy import per_gap_cross_entropy
from components.process.drop import corrupt
from components.target.expected_gap_counts import expected_gap_counts
from components.target.expected_gap_tokens import expected_gap_tokens
from components.target.gap_counts import gap_counts
from components.target.gap_tokens import gap_tokens
from components.types import Examples, Vocab

BOS, A, B = 3, 0, 1
SEQUENCE = [BOS, A, A, B, A, B, B]
PROMPTS = [(0,), (0, 2), (0, 1, 4)]  # fixed positions
VOCAB = Vocab(size=4, bos=BOS)
HEADS = SimpleNamespace(gap_token_logits=lambda hidden: hidden)


def every_set(fixed: tuple[int, ...]) -> tuple[Examples, torch.Tensor]:
    """The sequence with every set of its free positions, of each size."""
    free = [j for j in range(len(SEQUENCE)) if j not in fixed]
    sets = [s for k in range(len(free) + 1) for s in combinations(free, k)]
    dropped = torch.zeros(len(sets), len(SEQUENCE), dtype=torch.bool)
    for row, s in enumerate(sets):
        dropped[row, list(s)] = True
    tokens = torch.tensor(SEQUENCE).expand(len(sets), -1)
    is_fixed = torch.zeros_like(dropped)
    is_fixed[:, list(fixed)] = True
    return Examples(tokens, torch.ones_like(dropped), is_fixed), dropped


def seen(x: Examples, z) -> list[tuple]:
    """What the model sees of each row, and where its fixed tokens are."""
    kept = x.valid & ~z.dropped
    rows = zip(x.tokens, x.fixed, kept, strict=True)
    return [(*t[k].tolist(), *f[k].tolist()) for t, f, k in rows]


def means(values: torch.Tensor, states: list[tuple]) -> torch.Tensor:
    """The mean of the rows of each state, in each of its rows."""
    rows = defaultdict(list)
    for i, state in enumerate(states):
        rows[state].append(i)
    return torch.stack([values[rows[state]].mean(0) for state in states])


def dense(target, like: torch.Tensor) -> torch.Tensor:
    """The numbers of a target, (B, L, V)."""
    number = torch.zeros(*like.shape, VOCAB.size)
    where = target.row, target.col, target.token
    return number.index_put(where, target.number, accumulate=True)


@pytest.mark.parametrize("fixed", PROMPTS)
def test_it_is_the_mean_of_the_dropped_tokens_over_all_ways_to_see_the_same(fixed):
    """The control: the dropped tokens themselves are not their mean."""
    x, dropped = every_set(fixed)
    z = corrupt(x, dropped)
    states = seen(x, z)
    one = dense(gap_tokens(x, dropped, z.gap, z.open), dropped)
    expected = dense(expected_gap_tokens(x, dropped, z.open), dropped)
    assert torch.allclose(expected, means(one, states), atol=1e-6)
    assert not torch.allclose(expected, one, atol=0.2)
    p = torch.full((len(dropped), 1), 0.7)
    counts = expected_gap_counts(x, dropped, z.open, p).count
    right = gap_counts(dropped, z.gap, z.open, p).count
    assert torch.allclose(counts, means(right, states), atol=1e-5)
    assert not torch.allclose(counts, right, atol=0.2)


@pytest.mark.parametrize("loss", [gap_cross_entropy, per_gap_cross_entropy])
def test_the_gradient_is_the_same_on_average_and_varies_less(loss):
    """Of any model that sees only x_t; each size equally often, as in ILM."""
    x, dropped = every_set((0,))
    z = corrupt(x, dropped)
    states = seen(x, z)
    names = {state: i for i, state in enumerate(dict.fromkeys(states))}
    table = torch.randn(len(names), len(SEQUENCE), VOCAB.size, generator=generator())
    k = dropped.sum(1)
    p = 1 / torch.tensor([comb(6, int(n)) for n in k], dtype=torch.float32) / 7
    more = {"vocab": VOCAB} if loss is gap_cross_entropy else {}

    def gradients(target) -> torch.Tensor:
        hidden = table[[names[s] for s in states]].requires_grad_()
        loss(HEADS, hidden, target, **more).sum().backward()
        assert hidden.grad is not None
        return hidden.grad.flatten(1)

    one = gradients(gap_tokens(x, dropped, z.gap, z.open))
    expected = gradients(expected_gap_tokens(x, dropped, z.open))
    for state in (states[10], states[30]):
        same = torch.tensor([s == state for s in states])
        assert int(same.sum()) > 1
        mean = [(p[same, None] * g[same]).sum(0) for g in (one, expected)]
        assert torch.allclose(*mean, atol=1e-5)
    variance = [
        float((p * (g - (p[:, None] * g).sum(0)).square().sum(1)).sum()) for g in (one, expected)
    ]
    assert variance[1] < 0.9 * variance[0]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def ways(x: list[int], z: list[int]) -> int:
    """N(x, z), exactly: the number of ways to find z as a subsequence of x."""
    counts = [1] + [0] * len(z)
    for token in x:
        for i in range(len(z), 0, -1):
            if z[i - 1] == token:
                counts[i] += counts[i - 1]
    return counts[-1]


def test_in_a_long_sequence_it_is_the_ratio_of_numbers_of_subsequences():
    """1,200 equal tokens: the numbers exceed every float. And 60 tokens of two kinds, exactly."""
    tokens = torch.randint(2, (1, 61), generator=generator())
    tokens[:, 0] = BOS
    x = Examples(tokens, torch.ones_like(tokens) > 0, torch.arange(61)[None] == 0)
    dropped = (torch.rand(1, 61, generator=generator()) < 0.4) & ~x.fixed
    z = corrupt(x, dropped)
    number = dense(expected_gap_tokens(x, dropped, z.open), dropped)[0]
    left = tokens[0][~dropped[0]].tolist()
    for gap in range(len(left)):
        for v in (A, B):
            more = ways(tokens[0].tolist(), [*left[: gap + 1], v, *left[gap + 1 :]])
            assert abs(more / ways(tokens[0].tolist(), left) - float(number[gap, v])) < 1e-4
    tokens = torch.zeros(1, 1201, dtype=torch.long)
    tokens[:, 0] = BOS
    x = Examples(tokens, torch.ones_like(tokens) > 0, torch.arange(1201)[None] == 0)
    dropped = (torch.rand(1, 1201, generator=generator()) < 0.5) & ~x.fixed
    count = expected_gap_counts(x, dropped, corrupt(x, dropped).open, torch.ones(1, 1)).count
    gaps = 1201 - int(dropped.sum())
    assert torch.allclose(count[:, :gaps], dropped.sum() / torch.tensor(float(gaps)), rtol=1e-4)
