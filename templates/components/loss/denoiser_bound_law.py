"""The law of `denoiser_bound`: `interpolating_bound`, of p(x_0 | x_t) divided by P(x_t | x_0)."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .interpolating_bound_law import nats as of_leave_one_out


def nats(model: Any, hidden: Tensor, targets: list[tuple[int, int]], state: Any) -> float:
    alpha, total = state.schedule.alpha(state.t), 0.0
    for j, clean in targets:
        p = model.token_logits(hidden[j]).double().softmax(-1)
        now = int(state.tokens[j])
        likelihood = state.mass[now] + alpha * (torch.arange(len(p)) == now)
        given = (p / torch.where(likelihood > 0, likelihood, 1.0)).log()
        output = SimpleNamespace(token_logits=lambda _, given=given: given)
        total += of_leave_one_out(output, hidden, [(j, clean)], state)
    return total
