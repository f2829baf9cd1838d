"""The law of `insertion`: each step samples a gap, then its token, until the sequence stops."""

from collections.abc import Callable

import torch
from torch import Tensor

from xlm_spec.laws import LONGEST, SIZE, Sampling, Step

from ..process.drop_law import State, predict

Pairs = Callable[[Tensor], Tensor]  # p(gap, token) of the model -> of the sample, (gaps, V)


def steps(s: Sampling) -> list[Step]:
    gaps, token = s.rule("gaps"), s.rule("tokens")
    return insertion_steps(s, lambda p: gaps(p.sum(1))[:, None] * token(p / p.sum(1, keepdim=True)))


def insertion_steps(s: Sampling, pairs: Pairs) -> list[Step]:
    stop_probability = s.rule("stop")

    def step(state: State) -> dict[State, float]:
        tokens, ended = state
        if ended:
            return {state: 1.0}
        gap, stop = predict(s.model, [tokens])
        done = stop_probability(float(torch.sigmoid(stop[tokens])))
        out = {(tokens, True): done}
        p = pairs(gap[tokens].exp()).tolist()
        for i in range(len(tokens) + 1):
            for v in range(SIZE):
                new = ((*tokens[:i], v, *tokens[i:]), False)
                out[new] = out.get(new, 0.0) + (1 - done) * p[i][v]
        return out

    return [step] * LONGEST
