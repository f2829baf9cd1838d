"""The law of `score_entropy`: the divergence of jump rates, of scores that are not normalised.

A score is a ratio of probabilities at time t; as rates they are multiplied by that of the noise.
"""

from math import log
from typing import Any

from torch import Tensor


def nats(model: Any, hidden: Tensor, targets: list[tuple[int, int]], state: Any) -> float:
    alpha, dalpha = float(state.schedule.alpha(state.t)), float(state.schedule.dalpha(state.t))
    mass, dmass = state.mass.tolist(), state.dmass.tolist()
    total = 0.0
    for j, clean in targets:
        e = model.token_logits(hidden[j]).double().exp().tolist()  # sums to anything
        now = int(state.tokens[j])
        given = [alpha * (y == clean) + m for y, m in enumerate(mass)]
        model_mass = [alpha * x + m for x, m in zip(e, mass, strict=True)]
        arrival = dmass[now] - dalpha / alpha * mass[now]
        for y in range(len(mass)):
            ratio, score = given[y] / given[now], model_mass[y] / model_mass[now]
            if y != now and ratio > 0:
                total += arrival * (score - ratio * log(score) + ratio * (log(ratio) - 1))
            elif y != now:
                total += arrival * score
    return total
