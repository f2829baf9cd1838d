"""The law of `drop_then_mask`: masks are inserted, and then turn into tokens.

Below: the states of its samplers, with the predictions of any model for each state.
"""

from functools import cache
from itertools import product
from typing import Any

import torch

from xlm_spec import laws
from xlm_spec.laws import BOS, LONGEST, MASK, PAD, SIZE

Tokens = tuple[int, ...]
START: Tokens = ()


def tokens_of(state: Tokens) -> Tokens:
    return state


class Predictions:
    """For every state: p(v) of each position, p(v) by the token rule, and the numbers of gaps."""

    def __init__(self, s: "Sampling", t: float):
        lengths = range(LONGEST + 1)
        states = [x for n in lengths for x in product((*range(SIZE), MASK), repeat=n)]
        tokens = torch.tensor([[BOS, *x, *[PAD] * (LONGEST - len(x))] for x in states])
        time = torch.full((len(states), 1), t)
        hidden = s.model(tokens, tokens != PAD, time)
        p = s.model.token_logits(hidden).double()[:, 1:].softmax(-1)
        number = s.model.gap_count(hidden).double()
        self.p = dict(zip(states, p, strict=True))
        self.drawn = dict(zip(states, s.rule("tokens")(p).tolist(), strict=True))
        self.number = {x: a[: 1 + len(x)] for x, a in zip(states, number.tolist(), strict=True)}


class Sampling(laws.Sampling):
    """A sampler of sequences with masks."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.at = cache(lambda t: Predictions(self, t))

    def alpha_of(self, clock: str, t: float) -> float:
        return float(self.m.clocks[clock].alpha(torch.tensor(t, dtype=torch.float64)))
