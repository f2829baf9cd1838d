"""The law of `uniform`: a corrupted token is any token. Below: the states of its samplers."""

from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor

from xlm_spec import laws
from xlm_spec.laws import BOS, EOS, LONGEST, MASK, SIZE, V

Tokens = tuple[int, ...]
ANY = (*range(SIZE), EOS, MASK)  # without masks in the method, MASK is a token that never occurs
START = {s: len(ANY) ** -LONGEST for s in product(ANY, repeat=LONGEST)}


def tokens_of(state: Tokens) -> Tokens:
    return state


class Sampling(laws.Sampling):
    """A sampler whose states are the tokens alone; each step draws every free token anew."""

    def noise(self, t: float) -> Tensor:
        """P(x_t = y | x_0) at time t for each y other than x_0, (V,)."""
        even = torch.zeros(V, dtype=torch.float64)
        even[list(ANY)] = 1 / len(ANY)
        return (1 - self.alpha(t)) * even

    def reverse_step(self, t: float, to: float) -> laws.Step:
        """x_s ~ P(x_t | x_s) P(x_s | prediction) at each free position, by the token rule."""
        keep = self.alpha(t) / self.alpha(to)
        enter = self.noise(t) - keep * self.noise(to)
        table = self.predictions(t)

        def step(state: Tokens) -> dict[Tokens, float]:
            each: list[dict[int, float]] = []
            for i, now in enumerate(state):
                if i not in self.free:
                    each.append({now: 1.0})
                    continue
                before = self.alpha(to) * table[state][i] + self.noise(to)
                arrive = torch.full((V,), float(enter[now]), dtype=torch.float64)
                arrive[now] += keep
                p = before * arrive
                p = self.rule("tokens")(p / p.sum())
                each.append({v: float(p[v]) for v in ANY if p[v] > 0})
            out = {}
            for chosen in product(*(e.items() for e in each)):
                total = 1.0
                for _, p_token in chosen:
                    total *= p_token
                out[tuple(v for v, _ in chosen)] = total
            return out

        return step

    def predictions(self, t: float) -> dict[Tokens, Tensor]:
        """The predicted p(x_0), (LONGEST, V), of every state."""
        states = [*product(ANY, repeat=LONGEST)]
        tokens = torch.tensor([(BOS, *s) for s in states])
        valid, time = torch.ones_like(tokens, dtype=torch.bool), torch.full((len(tokens), 1), t)
        logits = self.model.token_logits(self.model(tokens, valid, time)).double()
        return dict(zip(states, logits[:, 1:].softmax(-1), strict=True))


def reverse_steps(s: Any, times: list[float]) -> list[laws.Step]:
    """From each of these times to the next."""
    return [s.reverse_step(t, to) for t, to in pairwise(times)]


def equal_steps(steps: int) -> list[float]:
    """Times from 1 to 0."""
    return [1 - i / steps for i in range(steps + 1)]
