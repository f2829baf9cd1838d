"""The law of `bernoulli`: its weights at a time; tokens are corrupted independently."""

import torch


def elbo_weight(n: int, k: int, t: float, schedule) -> float:
    """-alpha'(t) / (1 - alpha(t))."""
    at = torch.tensor(t, dtype=torch.float64)
    return float(-schedule.dalpha(at) / (1 - schedule.alpha(at)))


def count_weight(n: int, k: int, t: float, schedule) -> float:
    """-(n + 1) alpha'(t)."""
    return -(n + 1) * float(schedule.dalpha(torch.tensor(t, dtype=torch.float64)))
