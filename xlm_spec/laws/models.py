"""Models in place of trained ones: a perturbed exact model, and a random model."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .toy_distribution import EOS, SIZE, V

UNIFORM = torch.tensor([float(v < SIZE or v == EOS) for v in range(V)], dtype=torch.float64)
UNIFORM /= UNIFORM.sum()
Output = Callable[..., Tensor]  # the output of a head, from hidden states: see HeadLaw


def perturbed(p: Tensor, uniform: Tensor, blur: float, tilt: float) -> Tensor:
    """The probabilities p (..., V) of an exact model, perturbed.

    `blur` mixes in `uniform`: the result is neither a minimiser nor consistent with any
    distribution. `tilt` raises p to the power 1 + tilt and keeps zeros.
    """
    p = p ** (1 + tilt)
    total = p.sum(-1, keepdim=True)
    p = torch.where(total > 0, p / total.clamp(min=1e-300), uniform)  # for impossible inputs
    return (1 - blur) * p + blur * uniform


class RandomModel:
    """A model with a different random output for every state, independent of any distribution.

    `allowed` are the tokens that its heads may predict. The output of a causal model depends on the
    tokens up to each position; that of a time-conditioned one differs in each eighth of time.
    """

    def __init__(
        self,
        heads: dict[str, Output],
        allowed: tuple[int, ...],
        causal: bool = False,
        timed: bool = False,
        seed: int = 0,
        wires: Sequence[str] = ("tokens", "valid", "t"),
    ):
        self.causal, self.timed, self.seed, self.wires = causal, timed, seed, wires
        excluded = torch.tensor([v not in allowed for v in range(V)])
        for name, output in heads.items():
            setattr(self, name, partial(output, excluded=excluded))

    def __call__(self, *inputs: Any, **named: Any) -> Tensor:
        """Hidden states (B, L, V + 1) from `tokens`, `valid` and `t`; other wires are ignored."""
        read = dict(zip(self.wires, inputs, strict=False)) | named
        return self.hidden(read["tokens"], read["valid"], read.get("t"))

    def hidden(self, tokens: Tensor, valid: Tensor, t: Tensor | None) -> Tensor:
        position = torch.arange(tokens.shape[1])
        state = (1 + tokens).masked_fill(~valid, 0) * (V + 1) ** position  # padding adds 0
        seen = state.cumsum(1) if self.causal else state.sum(1, keepdim=True).expand_as(state)
        index = position[:, None] * (V + 1) + torch.arange(V + 1)  # (L, V + 1)
        part = (8 * t).round()[..., None] if self.timed and t is not None else 0.0
        angle = 12.9898 * index.double() + 78.233 * seen[..., None].double() + part + self.seed / 3
        return 7 * (43758.5453 * angle.sin()).frac().abs()  # (B, L, V + 1)

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list:
        return []

    def extend_cache(self, tokens: Tensor, place: Tensor, cache: list) -> Tensor:
        return self.hidden(tokens, tokens >= 0, None)[torch.arange(len(place)), place]
