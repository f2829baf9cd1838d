"""Laws of a small model in float64: which inputs its hidden states depend on."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .law import Figure, law, needs, when
from .law_files import NoLaw
from .method import READ, Method
from .toy_distribution import generator

ROWS, LENGTH = 4, 9
cached = when(lambda m: hasattr(m.module.Model, "open_cache"), "the model has no cache")


def plain(m: Method) -> str:
    """Can the laws provide everything that the model reads?"""
    others = [wire for wire in m.wires if wire not in READ]
    return NoLaw(f"the model reads `{others[0]}`, which the law can't provide") if others else ""


timed = when(lambda m: m.timed, "the model is not time-conditioned")


def hidden_states(m: Method, model, tokens, valid, t: float | Tensor = 0.5):
    """Hidden states (B, L, D), at one time, or at one time per sequence, (B, 1)."""
    at = t if isinstance(t, Tensor) else torch.full((len(tokens), 1), t, dtype=torch.float64)
    with torch.no_grad():
        return model(tokens, valid, at)


def random_tokens(m: Method):
    tokens = torch.randint(0, 3, (ROWS, LENGTH), generator=generator(3))
    tokens[:, 0] = m.vocab.bos
    return tokens, torch.ones_like(tokens, dtype=torch.bool)


def difference(a, b) -> float:
    return float((a - b).abs().max())


@law("padding has no effect", plain)
def padding(m: Method) -> Iterator[Figure]:
    """Tokens at invalid positions are changed. The control: these positions are valid."""
    model, (tokens, valid) = m.small_model(), random_tokens(m)
    other = tokens.clone()
    other[:, 6:] = (other[:, 6:] + 1) % 3
    short = valid.clone()
    short[:, 6:] = False
    seen = [hidden_states(m, model, a, short)[:, :6] for a in (tokens, other)]
    # a causal model ignores later positions in any case: compare the changed positions
    first = 0 if not m.causal else 6
    full = [hidden_states(m, model, a, valid)[:, first:] for a in (tokens, other)]
    yield Figure(difference(*seen), 1e-9, difference(*full))


@law("sequences of a batch are independent", plain)
def batch(m: Method) -> Iterator[Figure]:
    """Each sequence has another time."""
    model, (tokens, valid) = m.small_model(), random_tokens(m)
    t = torch.linspace(0.1, 0.9, ROWS, dtype=torch.float64)[:, None]
    together = hidden_states(m, model, tokens, valid, t)
    apart = torch.cat(
        [hidden_states(m, model, *(a[i : i + 1] for a in (tokens, valid, t))) for i in range(ROWS)]
    )
    yield Figure(difference(together, apart), 1e-9, difference(together, apart.roll(1, 0)))


@law("a causal model does not see later tokens, a bidirectional one does", plain)
def direction(m: Method) -> Iterator[Figure]:
    """The last token is changed. A bidirectional model need not see all of the sequence: some
    earlier position depends on it, such as one of its block.
    """
    model, (tokens, valid) = m.small_model(), random_tokens(m)
    other = tokens.clone()
    other[:, -1] = (other[:, -1] + 1) % 3
    before, after = (hidden_states(m, model, a, valid) for a in (tokens, other))
    ahead, behind = (
        difference(before[:, where], after[:, where]) for where in (slice(-1), slice(-1, None))
    )
    if m.causal:
        yield Figure(ahead, 1e-9, behind)
    else:
        yield Figure(float(ahead < 1e-9), 0, float(behind > 1e-9))


@law("the cache does not change the output", needs(cached, plain))
def cache(m: Method) -> Iterator[Figure]:
    """Position by position, from a prompt of four. The control: one position off."""
    model, (tokens, valid) = m.small_model(), random_tokens(m)
    full = hidden_states(m, model, tokens, valid)
    seen = valid & (torch.arange(LENGTH) < 4)
    with torch.no_grad():
        state = model.open_cache(tokens.masked_fill(~seen, m.vocab.pad), seen)
        outputs = []
        for i in range(4, LENGTH):
            place = torch.full((ROWS,), i)
            outputs.append(model.extend_cache(tokens, place, state))
    steps = torch.stack(outputs, 1)
    yield Figure(difference(steps, full[:, 4:]), 1e-9, difference(steps[:, 1:], full[:, 4:-1]))


@law("a time-conditioned model depends on the time", needs(timed, plain))
def time(m: Method) -> Iterator[Figure]:
    """1 if the hidden states are equal at two times."""
    model, (tokens, valid) = m.small_model(), random_tokens(m)
    early, late = (hidden_states(m, model, tokens, valid, t) for t in (0.2, 0.9))
    yield Figure(
        float(difference(early, late) < 1e-9), 0, float(difference(early, early.roll(1, 0)) > 0)
    )
