"""Laws of the input of the model: what `corrupt` returns, and the first state of samplers."""

import inspect
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .conditions import corrupts, process_has, selects_tokens
from .corrupting import corrupt, initial, lengths, selected
from .distinct_rows import distinct_rows
from .law import ALARM, Figure, law, needs, when
from .law_files import Unverified
from .method import READ, Method
from .pinning import noised
from .toy_distribution import LONGEST, PAD, SIZE, generator, homogeneity

ROWS = 20_000

samples_noise = when(lambda m: m.defines("objective", "corrupt"), "the process corrupts nothing")

deterministic = when(lambda m: not m.draws, "the process draws")


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
    with torch.no_grad(), noised(m) as seen:
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
    _, which = distinct_rows(both)
    counts = [torch.bincount(half, minlength=int(which.max()) + 1) for half in which.split(len(a))]
    return homogeneity(*(c.double() for c in counts))
