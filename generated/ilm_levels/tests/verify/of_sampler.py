"""Laws of samplers: what they write follows the law that they claim, what is given stays."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .chains import law as law_of
from .law import ALARM, Figure, law, needs, when
from .method import Method
from .world import LONGEST, World, surprise

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
