"""Laws of samplers: what they write follows the law that they claim, what is given stays."""

from collections.abc import Iterator

import torch
from torch import Tensor

from . import growing, unmasking
from .chains import furthest_off, moves
from .law import ALARM, Figure, law, needs, when
from .method import Method, with_numbers
from .of_noise import bins, drawn_anew
from .world import LONGEST, PAD, SIZE, World, surprise

ROWS = 10_000
exact_ones = when(
    lambda m: any(m.exact_at(s) is not None for s in m.module.SAMPLERS),
    "no sampler states numbers with which it is exact",
)
known = when(lambda m: m.minimiser_known, "the minimiser of its objective is not known here")


def written(m: Method, sampler: str, model, w: World, numbers, prompt=()) -> Tensor:
    """How often a sampler writes each text of a world, and anything else, of 10,000."""
    last = m.drawn(sampler, model, m.start(w, ROWS, prompt), numbers)[-1]
    return w.counts(last.tokens, last.valid)


def off(m: Method, sampler: str, model, w: World, prompt=()) -> float:
    """How surprising these are, at its exact numbers, if the law is that of the world.

    Anything that is no text of the world is infinitely so; but a sampler that is exact in the limit
    of many steps may write one in a hundred.
    """
    numbers = m.exact_at(sampler) or {}
    counts = written(m, sampler, model, w, numbers, prompt)
    limit = any(name.endswith(".steps") for name in numbers)
    if limit and counts[-1] < ROWS / 100:
        counts[-1] = 0
    return surprise(counts, whole(w.p))


def exact(m: Method) -> list[str]:
    return [s for s in m.module.SAMPLERS if m.exact_at(s) is not None]


def whole(p: Tensor) -> Tensor:
    """A law of texts, and that nothing else is written."""
    return torch.cat([p, torch.zeros(1, dtype=torch.float64)])


@law("with the exact network a sampler follows the data", needs(exact_ones, known))
def follows(m: Method) -> Iterator[Figure]:
    """10,000 texts, at the numbers with which the sampler is exact; the control: a network off."""
    w = m.world()
    for s in exact(m):
        right, wrong = (off(m, s, m.oracle(w, b), w) for b in (0.0, 0.05))
        yield Figure(right, ALARM, wrong, s)


@law("after a prompt it follows the data given the prompt", needs(exact_ones, known))
def follows_given(m: Method) -> Iterator[Figure]:
    w = m.world().conditional((1,))
    for s in exact(m):
        right, wrong = (off(m, s, m.oracle(w, b, given=1), w, (1,)) for b in (0.0, 0.08))
        yield Figure(right, ALARM, wrong, s)


@law("with any network every step follows its enumerated law")
def follows_any(m: Method) -> Iterator[Figure]:
    """10,000 texts of a network that knows nothing, in a few steps, with rules that cut.

    Each move, of a state to the next, is counted. A network that is told the time says something
    else at another. The control: moves of another network.
    """
    w, networks = m.world(), [m.anything(m.timed, seed) for seed in (0, 1)]
    for s in m.samplers:
        numbers = short(m, s, CUT)
        laws = enumerated(m, s, with_numbers(m.config, numbers), networks[0])
        if laws:
            right, wrong = (
                furthest_off(m.drawn(s, model, m.start(w, ROWS), numbers), laws)
                for model in networks
            )
            yield Figure(right, ALARM, wrong, s)


def enumerated(m: Method, sampler: str, config, model) -> list[dict]:
    """The law of each move; with blocks around it, of all moves as one. [] if it is not known."""
    told, numbers = m.samplers[sampler], m.numbers(sampler, config)
    if m.hides == "others":
        return []
    if m.hides == "masked":
        kind, steps = unmasking, unmasking.steps(m, told, numbers, model)
    else:
        kind = growing
        find = growing.inserting if m.hides == "dropped" else growing.appending
        steps = find(told, numbers, model)
    if steps is None:
        return []
    laws = [*moves(kind.EMPTY, steps, kind.shown)]
    if "outer" not in told:
        return laws
    ends: dict = {}
    for (_, last), chance in laws[-1].items():
        pair = kind.shown(kind.EMPTY), last
        ends[pair] = ends.get(pair, 0.0) + chance
    return [ends]


FEW = {"steps": 4, "rounds": 3, "per_step": 2, "outer.size": 2, "threshold": 0.8, "gamma": 0.9}
CUT = {"k": 2, "p": 0.8, "share": 0.2, "rate": 0.3, "temperature": 0.7, "threshold": 0.5}
LOOSE = {"k": 4, "p": 1.0, "share": 0.0, "temperature": 1.0}


def short(m: Method, sampler: str, rules: dict[str, float]) -> dict[str, float]:
    """Numbers with which a sampler is soon done, and those of its rules."""
    place, told = m.place(sampler), m.samplers[sampler]
    found = {f"{place}.{k}": n for k, n in FEW.items() if has(m.numbers(sampler), k)}
    for rule in (k for k, v in told.items() if isinstance(v, dict)):
        found |= {f"{place}.{rule}.{k}": n for k, n in rules.items() if k in told[rule]}
    return found


def has(numbers, name: str) -> bool:
    first, _, rest = name.partition(".")
    return hasattr(numbers, first) and (not rest or has(getattr(numbers, first), rest))


@law("samplers draw from their generator, anew each time")
def draws_anew(m: Method) -> Iterator[Figure]:
    """With rules that draw, texts differ by seed, and by nothing else. The control: one seed."""
    w, model = m.world(), m.anything()
    for s in m.samplers:

        def written_by(seed: int, aside: int, s: str = s) -> Tensor:
            torch.manual_seed(aside)  # of the global generator, which is not theirs
            last = m.drawn(s, model, m.start(w, 500), short(m, s, LOOSE), seed)[-1]
            return last.tokens.masked_fill(~last.valid, PAD)

        yield drawn_anew(written_by, s)


@law("given tokens never change, and every row is finished with words")
def keeps(m: Method) -> Iterator[Figure]:
    """A small untrained network; prompts and rooms of several lengths, a token given far behind.

    How many rows have altered what was given, or have special tokens, or none where words belong.
    """
    model = m.network().float()
    x = ragged(m)
    for s in m.module.SAMPLERS:
        states = m.drawn(s, model, x, {})
        wrong = sum(altered(state, x, m.hides) for state in states)
        last = states[-1]
        mine = last.tokens.masked_fill(~last.valid | last.fixed, 0)
        wrong += int(torch.isin(mine, torch.tensor(m.vocab.special)).any(1).sum())
        if m.hides == "behind":
            end = last.valid.sum(1)
            ended = last.tokens[torch.arange(len(end)), end - 1] == m.vocab.eos
            wrong += int(((end < x.valid.sum(1)) & ~ended).sum())
        begun = states[0]._replace(tokens=states[0].tokens.roll(1, 1))
        yield Figure(wrong, 0, altered(begun, x, m.hides), s)


def ragged(m: Method):
    """200 rows: BOS and up to two tokens are given, and one far behind; room for 8 or 6 in all."""
    rows, site = torch.arange(200)[:, None], torch.arange(3 + LONGEST + 3)
    fixed = (site <= rows % 3) | (site == 5)
    valid = (site < len(site) - 2 * (rows % 2)).expand_as(fixed)
    tokens = torch.where(fixed, (site + rows) % SIZE, m.vocab.pad)
    tokens[:, 0] = m.vocab.bos
    return m.module.Examples(tokens, valid, fixed)


def altered(state, x, hides: str) -> int:
    """Rows in which what was given is not there as it was; a prompt stands together, in front."""
    prompt = x.fixed.long().cumprod(1).bool()
    wrong = ((state.tokens != x.tokens) & prompt).any(1)
    if hides == "dropped":
        lines = zip(state.tokens, state.valid & state.fixed, x.tokens, x.fixed, strict=True)
        kept = [line[f].tolist() == given[g].tolist() for line, f, given, g in lines]
        return int((wrong | ~torch.tensor(kept)).sum())
    wrong |= ((state.tokens != x.tokens) & x.fixed & state.valid).any(1)
    if hides == "masked":
        wrong |= (state.valid != x.valid).any(1)
    return int(wrong.sum())


def hitting(m: Method) -> list[str]:
    """The samplers that jump from one token to the next."""
    told = m.plan["method"]["sampler"]
    kinds = {s: told[s]["kind"] for s in m.module.SAMPLERS if "outer" not in told[s]}
    return [s for s, kind in kinds.items() if kind == "first_hitting"]


class Told:
    """A network that says anything, and keeps the times that it was told."""

    def __init__(self, m: Method):
        self.model, self.times = m.anything(), []
        self.token_logits = self.model.token_logits

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:
        self.times.append(t)
        return self.model(tokens, valid, t)


@law("jumps come at the times of the noise", when(lambda m: bool(hitting(m)), "no sampler jumps"))
def jumps(m: Method) -> Iterator[Figure]:
    """The network is told s, at which the next of n masked tokens comes back after t.

    ((1 - alpha(s)) / (1 - alpha(t)))^n is uniform: here of the first two jumps.
    """
    even = torch.full((20,), 1 / 20, dtype=torch.float64)
    for s in hitting(m):
        told = Told(m)
        m.drawn(s, told, m.start(m.world(), 20_000), {})
        first, second = (1 - m.schedule.alpha(t) for t in told.times[:2])
        ratio = (second / first.clamp(min=1e-12)).clamp(max=1)
        u = [first**LONGEST, ratio ** (LONGEST - 1)]
        right, wrong = (
            max(surprise(bins(v**power, 20).double(), even) for v in u) for power in (1, 0.9)
        )
        yield Figure(right, ALARM, wrong, s)
