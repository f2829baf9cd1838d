"""Samplers that go back in time, or mask again what they wrote (see unmasking.py)."""

from collections.abc import Callable, Iterator
from itertools import pairwise, product
from math import exp

from .states import WORDS, Mixed, Sampling, Sites, State, Step, masked
from .world import MASK

Sigma = Callable[[float, State, Sites], list[float]]  # chance of a written token to be masked


def moving(s: Sampling, t: float, to: float, sigma: Sigma) -> Step:
    """From t to an earlier time: tokens are masked again w.p. sigma, masks written to match."""
    alpha_t, alpha_s = s.alpha(t), s.alpha(to)

    def step(state: State, free: Sites) -> Mixed:
        tokens, sure = state
        seen = s.at(t)
        most = min(1.0, (1 - alpha_s) / alpha_t) if alpha_t > 0 else 1.0
        again = dict(zip(free, sigma(most, state, free), strict=True))
        choices: list[list[tuple[int, float, float]]] = []
        for i, v in enumerate(tokens):
            if i not in free:
                choices.append([(v, sure[i], 1.0)])
            elif v != MASK:
                choices.append([(v, sure[i], 1 - again[i]), (MASK, 0.0, again[i])])
            else:
                fire = (alpha_s - (1 - again[i]) * alpha_t) / (1 - alpha_t)
                p, drawn = seen.p[tokens][i], seen.drawn[tokens][i]
                each = [(w, p[w], fire * drawn[w]) for w in WORDS]
                choices.append([(MASK, 0.0, 1 - fire), *each])
        out: Mixed = {}
        for picked in product(*([c for c in cs if c[2] > 0] for cs in choices)):
            new, now, chances = zip(*picked, strict=True)
            chance = 1.0
            for c in chances:
                chance *= c
            out[new, now] = out.get((new, now), 0.0) + chance
        return out

    return step


def nothing(most: float, state: State, free: Sites) -> list[float]:
    return [0.0] * len(free)


def sigma(s: Sampling) -> Sigma | None:
    """ReMDM's rules; None for one that is not known here."""
    rule = s.numbers.remasking

    def softest(most: float, state: State, free: Sites) -> list[float]:
        weight = [0.0 if state[0][i] == MASK else exp(-state[1][i]) for i in free]
        return [most * w / sum(weight) if sum(weight) else 0.0 for w in weight]

    known: dict[str, Sigma] = {
        "cap": lambda most, state, free: [min(rule.rate, most)] * len(free),
        "rescale": lambda most, state, free: [rule.share * most] * len(free),
        "confidence": softest,
    }
    return known.get(s.told["remasking"]["kind"])


def times(steps: int, first: float = 1.0, last: float = 0.0) -> Iterator[tuple[float, float]]:
    """Equal steps of time, back from the first to the last."""
    return pairwise(last + (first - last) * (1 - k / steps) for k in range(steps + 1))


def ancestral(s: Sampling) -> list[Step]:
    return [moving(s, t, to, nothing) for t, to in times(s.numbers.steps)]


def remask(s: Sampling) -> list[Step] | None:
    rule = sigma(s)
    return rule and [moving(s, t, to, rule) for t, to in times(s.numbers.steps)]


def remask_loop(s: Sampling) -> list[Step] | None:
    """Down to the time of a level of noise, there for a while, to the end."""
    rule, n = sigma(s), s.numbers.steps
    if rule is None:
        return None
    hold = s.inverse(s.numbers.alpha)
    down = min(max(1, round(n * s.numbers.before)), n - 1)
    end = max(1, n - down - round(n * s.numbers.waits))
    return [
        *(moving(s, t, to, nothing) for t, to in times(down, last=hold)),
        *([moving(s, hold, hold, rule)] * (n - down - end)),
        *(moving(s, t, to, nothing) for t, to in times(end, first=hold)),
    ]


def mask_predict(s: Sampling) -> list[Step]:
    """All masks are filled, then the tokens of which the network was least sure masked again."""

    def round_with(left: int) -> Step:
        def step(state: State, free: Sites) -> Mixed:
            out: Mixed = {}
            hide = len(free) * left // s.numbers.rounds
            seen = s.at_share(state, free)
            for (tokens, sure), chance in seen.filled(state, masked(state, free)).items():
                doubtful = sorted(free, key=lambda i: sure[i])[:hide]
                kept = tuple(MASK if i in doubtful else v for i, v in enumerate(tokens))
                now = tuple(0.0 if i in doubtful else c for i, c in enumerate(sure))
                out[kept, now] = out.get((kept, now), 0.0) + chance
            return out

        return step

    return [round_with(left) for left in reversed(range(s.numbers.rounds))]
