"""The law of `independent_drop`: tokens are inserted. Below: the states of its samplers.

They are also those of edits: tokens may be inserted, deleted and substituted.
"""

from functools import cache
from itertools import product
from typing import Any

import torch

from xlm_spec import laws
from xlm_spec.laws import BOS, LONGEST, PAD, SIZE

Tokens = tuple[int, ...]
Distribution = dict[Tokens, float]
START: Tokens = ()


def tokens_of(state: Tokens) -> Tokens:
    return state


def insertion_rate(n: int, k: int, t: float, schedule) -> float:
    """-alpha'(t) / (1 - alpha(t)): the rate of each event that has not happened yet."""
    at = torch.tensor(t, dtype=torch.float64)
    return float(-schedule.dalpha(at) / (1 - schedule.alpha(at)))


class Sampling(laws.Sampling):
    """A sampler of sequences without masks, of the tokens `ids`."""

    ids: Tokens = tuple(range(SIZE))

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.at = cache(self.predict)

    def predict(self, t: float) -> dict[Tokens, dict[str, list]]:
        """For every sequence: the output of each head at BOS and its tokens, by name.

        Of a head with logits the distribution of the token that is drawn.
        """
        states = [x for n in range(LONGEST + 1) for x in product(self.ids, repeat=n)]
        tokens = torch.tensor([[BOS, *x, *[PAD] * (LONGEST - len(x))] for x in states])
        hidden = self.model(tokens, tokens != PAD, torch.full((len(states), 1), t))
        found: dict[Tokens, dict[str, list]] = {x: {} for x in states}
        for head in sorted(self.m.heads):
            out = getattr(self.model, head)(hidden).double()
            if out.dim() == 3:
                out = self.rule("tokens")(out.softmax(-1))
            for x, values in zip(states, out.tolist(), strict=True):
                found[x][head] = values[: 1 + len(x)]
        return found
