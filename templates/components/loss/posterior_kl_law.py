"""The law of `posterior_kl`: T times the divergence of Bayes' posteriors of x_s, for s = t - 1 / T.

Below: the excess of the best model over the entropy, as the positions of a step are independent.
"""

from math import log
from typing import Any

import torch
from torch import Tensor

from xlm_spec.laws import LONGEST, MASK, ToyDistribution, V

from ..process.mixture_law import PATHS, WORDS


def noise(schedule: Any, t: float) -> tuple[float, list[float]]:
    """alpha(t), and P(x_t = y | x_0) for each y other than x_0."""
    masks, random = PATHS[type(schedule).__name__](schedule, t)
    mass = [random / len(WORDS) if y in WORDS else masks * (y == MASK) for y in range(V)]
    return 1 - sum(mass), mass


def kernel(schedule: Any, s: float, t: float) -> list[list[float]]:
    """P(x_t = z | x_s = y), [y][z]."""
    (alpha_s, mass_s), (alpha_t, mass_t) = noise(schedule, s), noise(schedule, t)
    keep = alpha_t / alpha_s
    return [[keep * (z == y) + mass_t[z] - keep * mass_s[z] for z in range(V)] for y in range(V)]


def nats(model: Any, hidden: Tensor, targets: list[tuple[int, int]], state: Any) -> float:
    steps, t = state.numbers["noise_steps"], float(state.t)
    s = max(0.0, t - 1 / steps)
    alpha, mass = noise(state.schedule, s)
    to_t, total = kernel(state.schedule, s, t), 0.0
    for j, clean in targets:
        now = int(state.tokens[j])
        x_0 = model.token_logits(hidden[j]).double().softmax(-1).tolist()
        q = [to_t[y][now] * (alpha * (y == clean) + mass[y]) for y in range(V)]
        p = [to_t[y][now] * (alpha * x_0[y] + mass[y]) for y in range(V)]
        for a, b in zip(q, p, strict=True):
            if a > 1e-15:
                total += a / sum(q) * log(a / sum(q) / (b / sum(p)))
    return steps * total


def excess(m: Any, w: ToyDistribution, prompt: int) -> float:
    """The sum over steps of E KL(P(x_s | x_t) || the product over positions of P(x_s,i | x_t))."""
    schedule, steps = m.config.noise.schedule, m.config.noise.time.noise_steps
    return sum(
        dependence(joint(w, schedule, prompt, (k - 1) / steps, k / steps))
        for k in range(1, steps + 1)
    )


def joint(w: ToyDistribution, schedule: Any, prompt: int, s: float, t: float) -> Tensor:
    """P(x_s, x_t), a dimension of size V for each token; the prompt has no noise."""
    x = w.batch()[0][:, 1:].tolist()  # without BOS
    free = [i >= prompt for i in range(LONGEST)]
    noised = torch.tensor(kernel(schedule, 0.0, s), dtype=torch.float64)
    arrive = torch.tensor(kernel(schedule, s, t), dtype=torch.float64)
    same = torch.eye(V, dtype=torch.float64)
    p_s = torch.zeros((V,) * LONGEST, dtype=torch.float64)
    for p, tokens in zip(w.p, x, strict=True):
        each = [(noised if f else same)[v] for f, v in zip(free, tokens, strict=True)]
        p_s += p * torch.einsum("a,b,c->abc", *each)
    steps = [arrive if f else same for f in free]
    return torch.einsum("abc,ax,by,cz->abcxyz", p_s, *steps)


def dependence(p: Tensor) -> float:
    """E KL(P(x_s | x_t) || the product of P(x_s,i | x_t)) of a joint distribution, in nats."""

    def negative_entropy(kept: int | None = None) -> float:
        """Of x_t, and of one position of x_s."""
        part = p.sum(tuple(i for i in range(LONGEST) if i != kept))
        return float(torch.xlogy(part, part).sum())

    alone = sum(negative_entropy(i) - negative_entropy() for i in range(LONGEST))
    return float(torch.xlogy(p, p).sum()) - negative_entropy() - alone
