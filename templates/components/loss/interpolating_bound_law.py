"""The law of `interpolating_bound`: the divergence of the jump rates of the reverse process.

With the rate R of the process given x_0, and P of the model, from x_t to each other token: the sum
of P - R + R log(R / P). Both are the rate of arrival at x_t, times a ratio of probabilities.
"""

from typing import Any

import torch
from torch import Tensor


def nats(model: Any, hidden: Tensor, targets: list[tuple[int, int]], state: Any) -> float:
    alpha, dalpha = state.schedule.alpha(state.t), state.schedule.dalpha(state.t)
    total = 0.0
    for j, clean in targets:
        predicted = model.token_logits(hidden[j]).double().softmax(-1)
        given = torch.zeros_like(predicted)
        given[clean] = 1
        q, p = (alpha * x_0 + state.mass for x_0 in (given, predicted))
        now = int(state.tokens[j])
        arrival = float(state.dmass[now] - dalpha / alpha * state.mass[now])
        for other in range(len(q)):
            if other != now and q[other] > 0:
                right, model_rate = (float(arrival * a[other] / a[now]) for a in (q, p))
                log_ratio = float(torch.log(torch.tensor(right / model_rate)))
                total += model_rate - right + right * log_ratio
    return total
