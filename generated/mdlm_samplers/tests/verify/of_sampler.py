"""Laws of samplers: what they write follows the law that they claim, what is given stays."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .chains import law as law_of
from .law import ALARM, Figure, law, needs, when
from .method import Method
from .of_noise import bins
from .world import LONGEST, World, generator, surprise

ROWS = 10_000
starts_known = when(lambda m: m.hides in ("masked", "dropped", "behind"), "its start is not known")
exact_ones = when(
    lambda m: any(m.exact_at(s) is not None for s in m.module.SAMPLERS),
    "no sampler states numbers with which it is exact",
)
known = when(lambda m: m.minimiser_known, "the minimiser of its objective is not known here")


def off(m: Method, sampler: str, model, w: World, law: Tensor, prompt=()) -> float:
    """How surprising the texts of a world are that a sampler writes, at its exact numbers.

    Anything that is no text of the world is infinitely so; but a sampler that is exact in the limit
    of many steps may write one in a hundred.
    """
    start, numbers = m.start(w, ROWS, prompt), m.exact_at(sampler) or {}
    last = m.drawn(sampler, model, start, numbers)[-1]
    counts = w.counts(last.tokens, last.valid)
    limit = any(name.endswith(".steps") for name in numbers)
    if limit and counts[-1] < ROWS / 100:
        counts[-1] = 0
    return surprise(counts, law)


def exact(m: Method) -> list[str]:
    return [s for s in m.module.SAMPLERS if m.exact_at(s) is not None]


def whole(p):
    """A law, and nothing for whatever else may be written."""
    return torch.cat([p, torch.zeros(1, dtype=torch.float64)])


@law("with the exact network a sampler follows the data", needs(exact_ones, known))
def follows(m: Method) -> Iterator[Figure]:
    """10,000 texts, at the numbers with which the sampler is exact; the control: a network off."""
    w = m.world()
    for s in exact(m):
        right, wrong = (off(m, s, m.oracle(w, b), w, whole(w.p)) for b in (0.0, 0.05))
        yield Figure(right, ALARM, wrong, s)


@law("after a prompt it follows the data given the prompt", needs(exact_ones, known))
def follows_given(m: Method) -> Iterator[Figure]:
    w = m.world().conditional((1,))
    for s in exact(m):
        right, wrong = (
            off(m, s, m.oracle(w, b, given=1), w, whole(w.p), (1,)) for b in (0.0, 0.08)
        )
        yield Figure(right, ALARM, wrong, s)


@law("with any network it follows the law of that network", exact_ones)
def follows_any(m: Method) -> Iterator[Figure]:
    """Where each next site is chosen without asking the network, so that orders can be summed."""
    w = m.world()
    other = m.oracle(m.world(seed=1), 0.2)
    for s in exact(m):
        order = order_of(m, s)
        if order:
            mine = whole(law_of(other, w, m.hides, order == "left_to_right"))
            mine[-1] = max(0.0, 1 - float(mine.sum()))
            yield Figure(off(m, s, other, w, mine), ALARM, off(m, s, m.oracle(w), w, mine), s)


def order_of(m: Method, sampler: str) -> str:
    """In which order a sampler takes sites, where the network has no say: "", if it has."""
    told = m.plan["method"]["sampler"][sampler]
    if m.hides != "masked":
        return "any"
    if "outer" in told:
        return ""
    if told["kind"] in ("first_hitting", "ancestral"):
        return "random"
    sites = told.get("sites", {}).get("kind", "")
    return sites if sites in ("random", "left_to_right") else ""


@law("given tokens never change, and only words are written", starts_known)
def keeps(m: Method) -> Iterator[Figure]:
    """A small untrained network, as the spec has its numbers, with a prompt and a token far behind.

    How many given tokens are altered or lose their order, and how many special ones are written.
    """
    model = m.network().float()
    for s in m.module.SAMPLERS:
        rows, prompt = 200, [m.vocab.bos, 1, 2]
        width = 3 + LONGEST + 3
        tokens = torch.full((rows, width), m.vocab.pad)
        tokens[:, :3] = torch.tensor(prompt)
        fixed = torch.zeros_like(tokens, dtype=torch.bool)
        fixed[:, :3] = True
        if m.hides != "behind":
            tokens[:, 5], fixed[:, 5] = 0, True
        x = m.module.Examples(tokens, torch.ones_like(fixed), fixed)
        states = m.drawn(s, model, x, {})
        wrong = sum(altered(state, prompt, m.hides) for state in states)
        last = states[-1]
        mine = last.tokens[last.valid & ~last.fixed]
        wrong += int(torch.isin(mine, torch.tensor(m.vocab.special)).sum())
        begun = states[0]._replace(tokens=states[0].tokens.roll(1, 1))
        yield Figure(wrong, 0, altered(begun, prompt, m.hides), s)


def altered(state, prompt: list[int], hides: str) -> int:
    """Rows in which what was given is not there as it was."""
    wrong = (state.tokens[:, :3] != torch.tensor(prompt)).any(1)
    if hides == "masked":
        wrong |= state.tokens[:, 5] != 0
    if hides == "dropped":
        given = [*prompt, 0]
        kept = [
            line[v & f].tolist() == given
            for line, v, f in zip(state.tokens, state.valid, state.fixed, strict=True)
        ]
        wrong |= ~torch.tensor(kept)
    return int(wrong.sum())


def hitting(m: Method) -> list[str]:
    """The samplers that jump from one token to the next."""
    told = m.plan["method"]["sampler"]
    kinds = {s: told[s]["kind"] for s in m.module.SAMPLERS if "outer" not in told[s]}
    return [s for s, kind in kinds.items() if kind == "first_hitting"]


@law("jumps come at the times of the noise", when(lambda m: bool(hitting(m)), "no sampler jumps"))
def jumps(m: Method) -> Iterator[Figure]:
    """Of n masked tokens the first comes back at s, with (1 - alpha(s))^n uniform."""
    w = m.world()
    even = torch.full((20,), 1 / 20, dtype=torch.float64)
    for s in hitting(m):
        place = "sampler" if s == next(iter(m.module.SAMPLERS)) else f"sampler_{s}"
        state = m.part("noise").prior(m.start(w, 20_000), m.vocab)
        first = next(iter(m.part(place).times(state, m.schedule, m.vocab, generator())))
        u = (1 - m.schedule.alpha(first.s)) ** LONGEST
        right, wrong = (surprise(bins(v, 20).double(), even) for v in (u, u**0.9))
        yield Figure(right, ALARM, wrong, s)


def stepping(m: Method) -> list[str]:
    """The samplers that go back in equal steps of time."""
    told = m.plan["method"]["sampler"]
    kinds = {s: told[s]["kind"] for s in m.module.SAMPLERS if "outer" not in told[s]}
    return [s for s, kind in kinds.items() if kind == "ancestral"]


@law("tokens come back at the pace of the noise", when(lambda m: bool(stepping(m)), "none steps"))
def pace(m: Method) -> Iterator[Figure]:
    """In four steps: after each, a token is still masked with probability 1 - alpha."""
    w = m.world()
    for s in stepping(m):
        place = next(k for k in m.exact_at(s) or {} if k.endswith(".steps"))
        states = m.drawn(s, m.oracle(w, 0.2), m.start(w, ROWS), {place: 4})
        right = [surprise(masked(m, x), left(m, k)) for k, x in enumerate(states[1:], 1)]
        late = [surprise(masked(m, x), left(m, k - 1)) for k, x in enumerate(states[1:], 1)]
        yield Figure(max(right), ALARM, max(late), s)


def masked(m: Method, state) -> Tensor:
    """How many tokens are masked, and how many are not, of all rows."""
    n = float((state.tokens == m.vocab.mask).sum())
    return torch.tensor([n, ROWS * LONGEST - n], dtype=torch.float64)


def left(m: Method, step: int) -> Tensor:
    """The same as probabilities, after so many of four steps."""
    gone = 1 - m.schedule.alpha(torch.tensor(1 - step / 4, dtype=torch.float64))
    return torch.stack([gone, 1 - gone])
