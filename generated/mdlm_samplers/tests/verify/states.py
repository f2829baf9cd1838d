"""States of masked texts, and what any network says of each: all of them, in float64."""

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from .method import Method
from .world import BOS, EOS, LONGEST, MASK, SIZE

WORDS = (*range(SIZE), EOS)
Tokens = tuple[int, ...]
State = tuple[Tokens, tuple[float, ...]]  # tokens, and how sure the network was of each
Mixed = dict[State, float]
Sites = tuple[int, ...]
Step = Callable[..., Mixed]  # of a state, at the sites `free` that may be written
EMPTY: State = ((MASK,) * LONGEST, (0.0,) * LONGEST)


class Seen(NamedTuple):
    """Of every state, p(v | what is visible) at each site, and what a rule makes of it."""

    p: dict[Tokens, list[list[float]]]
    drawn: dict[Tokens, list[list[float]]]

    def filled(self, state: State, sites: Sites) -> Mixed:
        """Tokens drawn at these sites, independently."""
        tokens, sure = state
        out: Mixed = {}
        for words in product(WORDS, repeat=len(sites)):
            new, now, chance = [*tokens], [*sure], 1.0
            for i, v in zip(sites, words, strict=True):
                chance *= self.drawn[tokens][i][v]
                new[i], now[i] = v, self.p[tokens][i][v]
            out[tuple(new), tuple(now)] = chance
        return out


class Sampling:
    """A sampler: its parts and numbers, the network that it reads, the rule that it draws by."""

    def __init__(
        self, m: Method, told: dict, numbers, model, rule: Callable[[Tensor], Tensor]
    ) -> None:
        self.m, self.told, self.numbers = m, told, numbers
        self.model, self.rule = model, rule
        self.at = cache(self.read)

    def read(self, t: float) -> Seen:
        """What the network says where it is told this time."""
        states = [*product([*WORDS, MASK], repeat=LONGEST)]
        tokens = torch.tensor([(BOS, *s) for s in states])
        time = torch.full((len(states), 1), t)
        hidden = self.model(tokens, torch.ones_like(tokens, dtype=torch.bool), time)
        p = self.model.token_logits(hidden)[:, 1:].double().softmax(-1)  # (states, sites, V)
        found = (dict(zip(states, of.tolist(), strict=True)) for of in (p, self.rule(p)))
        return Seen(*found)

    def at_share(self, state: State, free: Sites) -> Seen:
        """What it says at the time at which as many sites are masked."""
        share = len(masked(state, free)) / len(free)
        return self.at(self.inverse(1 - share))

    def alpha(self, t: float) -> float:
        return float(self.m.schedule.alpha(torch.tensor(t, dtype=torch.float64)))

    def inverse(self, alpha: float) -> float:
        return float(self.m.schedule.inverse(torch.tensor(alpha, dtype=torch.float64)))


def masked(state: State, sites: Sites) -> Sites:
    return tuple(i for i in sites if state[0][i] == MASK)
