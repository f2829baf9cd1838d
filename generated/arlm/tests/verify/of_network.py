"""Laws of the network, a small one in float64: who sees whom."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .law import Figure, law, when
from .method import Method
from .world import generator

ROWS, LENGTH = 4, 9
cached = when(lambda m: hasattr(m.module.Model, "open_cache"), "its network has no cache")
timed = when(lambda m: m.timed, "its network is told no time")


def read(m: Method, model, tokens, valid, t: float | Tensor = 0.5):
    """Hidden states (B, L, D), at one time, or each row at its own, (B, 1)."""
    at = t if isinstance(t, Tensor) else torch.full((len(tokens), 1), t, dtype=torch.float64)
    with torch.no_grad():
        return model(tokens, valid, at)


def texts(m: Method):
    tokens = torch.randint(0, 3, (ROWS, LENGTH), generator=generator(3))
    tokens[:, 0] = m.vocab.bos
    return tokens, torch.ones_like(tokens, dtype=torch.bool)


def most(a, b) -> float:
    return float((a - b).abs().max())


@law("padding is not seen")
def padding(m: Method) -> Iterator[Figure]:
    """Tokens at sites that are not valid are changed; the control: they are valid."""
    model, (tokens, valid) = m.network(), texts(m)
    other = tokens.clone()
    other[:, 6:] = (other[:, 6:] + 1) % 3
    short = valid.clone()
    short[:, 6:] = False
    seen = [read(m, model, a, short)[:, :6] for a in (tokens, other)]
    # a causal network sees nothing behind a site in any case: there, look at the sites themselves
    first = 0 if m.plan["inferred"]["attention"] != "causal" else 6
    full = [read(m, model, a, valid)[:, first:] for a in (tokens, other)]
    yield Figure(most(*seen), 1e-9, most(*full))


@law("rows do not see each other")
def rows(m: Method) -> Iterator[Figure]:
    """Each row has a time of its own."""
    model, (tokens, valid) = m.network(), texts(m)
    t = torch.linspace(0.1, 0.9, ROWS, dtype=torch.float64)[:, None]
    together = read(m, model, tokens, valid, t)
    apart = torch.cat(
        [read(m, model, *(a[i : i + 1] for a in (tokens, valid, t))) for i in range(ROWS)]
    )
    yield Figure(most(together, apart), 1e-9, most(together, apart.roll(1, 0)))


@law("a causal network does not see what comes, another one does")
def direction(m: Method) -> Iterator[Figure]:
    model, (tokens, valid) = m.network(), texts(m)
    other = tokens.clone()
    other[:, -1] = (other[:, -1] + 1) % 3
    before, after = (read(m, model, a, valid) for a in (tokens, other))
    ahead, behind = most(before[:, 1], after[:, 1]), most(before[:, -1], after[:, -1])
    if m.plan["inferred"]["attention"] == "causal":
        yield Figure(ahead, 1e-9, behind)
    else:
        yield Figure(float(ahead < 1e-9), 0, float(behind > 1e-9))


@law("with its cache it says what it says without", cached)
def cache(m: Method) -> Iterator[Figure]:
    """Site by site, from a prompt of four; the control: a site late."""
    model, (tokens, valid) = m.network(), texts(m)
    full = read(m, model, tokens, valid)
    seen = valid & (torch.arange(LENGTH) < 4)
    with torch.no_grad():
        held = model.open_cache(tokens.masked_fill(~seen, m.vocab.pad), seen)
        found = []
        for i in range(4, LENGTH):
            place = torch.full((ROWS,), i)
            found.append(model.extend_cache(tokens, place, held))
    steps = torch.stack(found, 1)
    yield Figure(most(steps, full[:, 4:]), 1e-9, most(steps[:, 1:], full[:, 4:-1]))


@law("a network that is told the time hears it", timed)
def time(m: Method) -> Iterator[Figure]:
    """1 if it says the same at two times."""
    model, (tokens, valid) = m.network(), texts(m)
    early, late = (read(m, model, tokens, valid, t) for t in (0.2, 0.9))
    yield Figure(float(most(early, late) < 1e-9), 0, float(most(early, early.roll(1, 0)) > 0))
