"""The law of `flow_divergence`: the sum over jumps of P - R + R log(R / P)."""

from typing import Any

import torch
from torch import Tensor


def nats(model: Any, hidden: Tensor, targets: list[tuple[int, int]], state: Any) -> float:
    rate = float(-state.schedule.dalpha(state.t) / (1 - state.schedule.alpha(state.t)))
    total = 0.0
    for j, clean in targets:
        p = rate * model.token_logits(hidden[j]).double().softmax(-1)
        for other in range(len(p)):
            if other == int(state.tokens[j]):
                continue
            total += float(p[other])
            if other == clean:
                total += rate * float(torch.log(rate / p[other])) - rate
    return total
