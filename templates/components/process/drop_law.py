"""The law of `drop`: dropped tokens are removed, and are inserted in any order.

Below: the exact model, and the bound as a mean over orders of insertion.
"""

from collections.abc import Iterable
from functools import cache
from itertools import permutations
from math import lgamma
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from xlm_spec.laws import (
    BOS,
    LONGEST,
    PAD,
    SIZE,
    Occurrences,
    Tokens,
    ToyDistribution,
    V,
    perturbed,
)

State = tuple[Tokens, bool]  # tokens, and whether the sequence is complete
START: State = ((), False)


def tokens_of(state: State) -> Tokens:
    return state[0]


def model_input(
    tokens: Tensor, valid: Tensor, corrupted: list[int], vocab: Any
) -> tuple[Tensor, Tensor]:
    """The remaining tokens, without gaps between them."""
    kept = [j for j, v in enumerate(valid.tolist()) if v and j not in corrupted]
    return tokens[kept], valid[kept]


class MissingTokens:
    """The minimiser of insertion models: p(gap, token) of missing tokens, and p(complete).

    `occurrences`: (sequence, positions of its dropped tokens, how often it is trained).
    """

    def __init__(
        self,
        occurrences: Iterable[tuple[Tokens, tuple[int, ...], float]],
        blur: float = 0.0,
        tilt: float = 0.0,
    ):
        self.share: dict[Tokens, Tensor] = {}  # remaining -> (gaps, SIZE), unnormalised
        self.complete: dict[Tokens, float] = {}
        self.blur, self.tilt = blur, tilt
        self.cached = cache(self.predict)
        for x, dropped, mass in occurrences:
            kept = tuple(v for i, v in enumerate(x) if i not in dropped)
            share = self.share.setdefault(kept, torch.zeros(len(kept) + 1, SIZE).double())
            for i in dropped:
                share[i - sum(j < i for j in dropped), x[i]] += mass / len(dropped)
            self.complete[kept] = self.complete.get(kept, 0.0) + mass * (not dropped)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None, **_) -> Tensor:
        seen = tokens.masked_fill(~valid, PAD)
        states, which = seen.unique(dim=0, return_inverse=True)
        return torch.stack([self.cached(tuple(line)) for line in states.tolist()])[which]

    def predict(self, line: tuple[int, ...]) -> Tensor:
        """(L, V + 1): log p(gap, token), and the log-odds that the sequence is complete."""
        kept = tuple(v for v in line if v not in (PAD, BOS))
        share = self.share.get(kept, torch.ones(len(kept) + 1, SIZE).double())
        complete = self.complete.get(kept, 0.0)
        uniform = torch.full((share.numel(),), 1 / share.numel(), dtype=torch.float64)
        missing = float(share.sum())
        exact = share.flatten() / missing if missing > 0 else uniform
        hidden = torch.full((len(line), V + 1), -torch.inf, dtype=torch.float64)
        p = perturbed(exact, uniform, self.blur, self.tilt).view_as(share)
        hidden[: 1 + len(kept), :SIZE] = p.log()
        ends = torch.tensor([complete, missing], dtype=torch.float64)
        ends = perturbed(ends / ends.sum(), torch.full_like(ends, 0.5), self.blur, self.tilt)
        hidden[:, V] = torch.logit(ends[0], eps=1e-14)
        return hidden

    def gap_token_logits(self, hidden: Tensor) -> Tensor:
        return hidden[..., :V]

    def stop_logit(self, hidden: Tensor) -> Tensor:
        return hidden[..., V]


def minimiser(
    w: ToyDistribution, occurrences: Occurrences, blur: float, tilt: float
) -> MissingTokens:
    return MissingTokens(occurrences(), blur, tilt)


def log_p_by_order(model: Any, w: ToyDistribution) -> list[Tensor]:
    """log n! p(x, order), (orders,), of each sequence: all orders of its n tokens."""
    paths = [[path_of(x, order) for order in permutations(range(len(x)))] for x in w.sequences]
    states = {kept for of_x in paths for path in of_x for kept, _, _ in path}
    gap, stop = predict(model, sorted(states | {*w.sequences}))
    out = []
    for x, of_x in zip(w.sequences, paths, strict=True):
        ends = float(F.logsigmoid(stop[x]))
        totals = [
            lgamma(len(x) + 1)
            + ends
            + sum(float(F.logsigmoid(-stop[k]) + gap[k][i, token]) for k, i, token in path)
            for path in of_x
        ]
        out.append(torch.tensor(totals, dtype=torch.float64))
    return out


def path_of(x: Tokens, order: tuple[int, ...]) -> list[tuple]:
    """(tokens before, gap, inserted token) of each step, if tokens are inserted in this order."""
    path: list[tuple] = []
    present: list[int] = []
    for i in order:
        kept = tuple(x[j] for j in sorted(present))
        path.append((kept, sum(j < i for j in present), x[i]))
        present.append(i)
    return path


def predict(model: Any, sequences: list[Tokens]) -> tuple[dict, dict]:
    """For each sequence: log p(gap, token), and the log-odds that it is complete."""
    lines = [[BOS, *x, *[PAD] * (LONGEST - len(x))] for x in sequences]
    tokens = torch.tensor(lines)
    hidden = model(tokens, tokens != PAD)
    logits = model.gap_token_logits(hidden).double()
    stop = model.stop_logit(hidden[:, 0]).double()
    gap = {}
    for x, scores in zip(sequences, logits, strict=True):
        gaps = scores[: 1 + len(x)]
        gap[x] = gaps.flatten().log_softmax(0).view_as(gaps)
    return gap, dict(zip(sequences, stop, strict=True))
