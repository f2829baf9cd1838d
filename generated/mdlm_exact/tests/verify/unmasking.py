"""What samplers of masked texts write with any network: enumerated state by state, in float64.

Straight from the papers, and apart from the package's samplers, which are held against it. Tokens
of one step are drawn independently, given what was visible before it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, pairwise, product
from math import exp

import torch
from torch import Tensor

from .chains import mixture
from .formulas import site_score, token_law
from .method import Method
from .world import BOS, EOS, LONGEST, MASK, SIZE

WORDS = (*range(SIZE), EOS)
State = tuple[tuple[int, ...], tuple[float, ...]]  # tokens, and how sure the network was of each
Mixed = dict[State, float]
Sites = tuple[int, ...]
Step = Callable[..., Mixed]  # of a state, at the sites `free` that may be written
EMPTY: State = ((MASK,) * LONGEST, (0.0,) * LONGEST)


class Network:
    """p(v | what is visible) at each site of every state, and what a rule makes of it."""

    def __init__(self, model, rule: Callable[[Tensor], Tensor]):
        states = [*product([*WORDS, MASK], repeat=LONGEST)]
        tokens = torch.tensor([(BOS, *s) for s in states])
        half = torch.full((len(states), 1), 0.5)
        hidden = model(tokens, torch.ones_like(tokens, dtype=torch.bool), half)
        p = model.token_logits(hidden)[:, 1:].double().softmax(-1)  # (states, sites, V)
        self.p = dict(zip(states, p.tolist(), strict=True))
        self.drawn = dict(zip(states, rule(p).tolist(), strict=True))

    def filled(self, state: State, sites: Sites) -> Mixed:
        """Tokens drawn at these sites."""
        tokens, sure = state
        out: Mixed = {}
        for words in product(WORDS, repeat=len(sites)):
            new, now, chance = [*tokens], [*sure], 1.0
            for i, v in zip(sites, words, strict=True):
                chance *= self.drawn[tokens][i][v]
                new[i], now[i] = v, self.p[tokens][i][v]
            out[tuple(new), tuple(now)] = chance
        return out


def masked(state: State, sites: Sites) -> Sites:
    return tuple(i for i in sites if state[0][i] == MASK)


# ---- which sites go ------------------------------------------------------------------------------


def picking(pick: Callable[[State, Sites], Sites], network: Network) -> Step:
    """Fills the masked sites that `pick` names."""
    return lambda state, free: network.filled(state, pick(state, masked(state, free)))


def ranked(network: Network, kind: str) -> Callable[[State, Sites], Sites] | None:
    """The masked sites, the most certain first."""
    score = site_score(kind)
    if kind == "left_to_right":
        return lambda state, left: left
    if score is None:
        return None
    scores = {s: score(torch.tensor(p, dtype=torch.float64)).tolist() for s, p in network.p.items()}
    return lambda state, left: tuple(sorted(left, key=lambda i: -scores[state[0]][i]))


def any_sites(network: Network, n: int) -> Step:
    """n masked sites, every set alike."""

    def step(state: State, free: Sites) -> Mixed:
        left = masked(state, free)
        sets = [*combinations(left, min(n, len(left)))]
        return mixture((1 / len(sets), network.filled(state, s)) for s in sets)

    return step


def fixed_budget(m: Method, told: dict, numbers, network: Network) -> list[Step] | None:
    n = numbers.per_step
    if told["sites"]["kind"] == "random":
        return [any_sites(network, n)] * LONGEST
    order = ranked(network, told["sites"]["kind"])
    if order is None:
        return None
    return [picking(lambda state, left: order(state, left)[:n], network)] * LONGEST


def first_hitting(m: Method, told: dict, numbers, network: Network) -> list[Step]:
    return [any_sites(network, 1)] * LONGEST


def threshold(m: Method, told: dict, numbers, network: Network) -> list[Step]:
    order = ranked(network, "confidence")
    assert order

    def pick(state: State, left: Sites) -> Sites:
        sure = [max(network.p[state[0]][i]) >= numbers.threshold for i in left]
        return tuple(i for i, s in zip(left, sure, strict=True) if s) or order(state, left)[:1]

    return [picking(pick, network)] * LONGEST


def entropy_bounded(m: Method, told: dict, numbers, network: Network) -> list[Step]:
    order, score = ranked(network, "entropy"), site_score("entropy")
    assert order
    assert score

    def pick(state: State, left: Sites) -> Sites:
        """The longest row of most certain sites whose entropies less the largest fit."""
        by_certainty = order(state, left)
        p = torch.tensor(network.p[state[0]], dtype=torch.float64)
        entropy = [-float(score(p[i])) for i in by_certainty]
        fits = [n for n in range(len(left)) if sum(entropy[:n]) <= numbers.gamma]
        return by_certainty[: 1 + max(fits, default=0)]

    return [picking(pick, network)] * LONGEST


# ---- by time, and masked again -------------------------------------------------------------------

Sigma = Callable[[float, State, Sites], list[float]]  # chance of a written token to be masked


def moving(network: Network, alpha_t: float, alpha_s: float, sigma: Sigma) -> Step:
    """From t to s: written tokens are masked again w.p. sigma, masked ones written to match."""

    def step(state: State, free: Sites) -> Mixed:
        tokens, sure = state
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
                p, drawn = network.p[tokens][i], network.drawn[tokens][i]
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


def sigma(told: dict, rule) -> Sigma | None:
    """ReMDM's rules; None for one that is not known here."""

    def softest(most: float, state: State, free: Sites) -> list[float]:
        weight = [0.0 if state[0][i] == MASK else exp(-state[1][i]) for i in free]
        return [most * w / sum(weight) if sum(weight) else 0.0 for w in weight]

    known: dict[str, Sigma] = {
        "cap": lambda most, state, free: [min(rule.rate, most)] * len(free),
        "rescale": lambda most, state, free: [rule.share * most] * len(free),
        "confidence": softest,
    }
    return known.get(told["kind"])


def alpha(m: Method, t: float) -> float:
    return float(m.schedule.alpha(torch.tensor(t, dtype=torch.float64)))


def levels(m: Method, steps: int) -> Iterator[tuple[float, float]]:
    """(alpha(t), alpha(s)) of equal steps of time from 1 to 0."""
    return pairwise(alpha(m, 1 - k / steps) for k in range(steps + 1))


def ancestral(m: Method, told: dict, numbers, network: Network) -> list[Step]:
    return [moving(network, a, b, nothing) for a, b in levels(m, numbers.steps)]


def remask(m: Method, told: dict, numbers, network: Network) -> list[Step] | None:
    rule = sigma(told["remasking"], numbers.remasking)
    return rule and [moving(network, a, b, rule) for a, b in levels(m, numbers.steps)]


def remask_loop(m: Method, told: dict, numbers, network: Network) -> list[Step] | None:
    """Down to the time of a level of noise, there for a while, to the end."""
    rule = sigma(told["remasking"], numbers.remasking)
    if rule is None:
        return None
    hold = float(m.schedule.inverse(torch.tensor(numbers.alpha, dtype=torch.float64)))
    n = numbers.steps
    down = min(max(1, round(n * numbers.before)), n - 1)
    end = max(1, n - down - round(n * numbers.waits))
    first = [hold + (1 - hold) * (1 - k / down) for k in range(down + 1)]
    last = [hold * (1 - k / end) for k in range(end + 1)]
    return [
        *(moving(network, alpha(m, t), alpha(m, s), nothing) for t, s in pairwise(first)),
        *([moving(network, alpha(m, hold), alpha(m, hold), rule)] * (n - down - end)),
        *(moving(network, alpha(m, t), alpha(m, s), nothing) for t, s in pairwise(last)),
    ]


def mask_predict(m: Method, told: dict, numbers, network: Network) -> list[Step]:
    """All masks are filled, then the tokens of which the network was least sure masked again."""

    def round_with(left: int) -> Step:
        def step(state: State, free: Sites) -> Mixed:
            out: Mixed = {}
            hide = len(free) * left // numbers.rounds
            for (tokens, sure), chance in network.filled(state, masked(state, free)).items():
                doubtful = sorted(free, key=lambda i: sure[i])[:hide]
                kept = tuple(MASK if i in doubtful else v for i, v in enumerate(tokens))
                now = tuple(0.0 if i in doubtful else c for i, c in enumerate(sure))
                out[kept, now] = out.get((kept, now), 0.0) + chance
            return out

        return step

    return [round_with(left) for left in reversed(range(numbers.rounds))]


# ---- whole samplers ------------------------------------------------------------------------------

LOOPS: dict[str, Callable[[Method, dict, object, Network], list[Step] | None]] = {
    "fixed_budget": fixed_budget,
    "first_hitting": first_hitting,
    "threshold": threshold,
    "entropy_bounded": entropy_bounded,
    "ancestral": ancestral,
    "remask": remask,
    "remask_loop": remask_loop,
    "mask_predict": mask_predict,
}


def windows(told: dict, numbers) -> list[Sites] | None:
    """The sites that may be written, one window after the other."""
    outer = told.get("outer", {}).get("kind")
    if outer not in (None, "blocks"):
        return None
    size = numbers.outer.size if outer else LONGEST
    return [tuple(range(i, min(i + size, LONGEST))) for i in range(0, LONGEST, size)]


def steps(m: Method, told: dict, numbers, model) -> list[Step] | None:
    """Every step of a sampler, from EMPTY on; None where a part of it is not known here."""
    rule = token_law(told["tokens"]["kind"], numbers.tokens)
    loop, blocks = LOOPS.get(told["kind"]), windows(told, numbers)
    if not (rule and loop and blocks):
        return None
    each = loop(m, told, numbers, Network(model, rule))
    return each and [partial(step, free=free) for free in blocks for step in each]


def shown(state: State) -> tuple[int, ...]:
    return state[0]
