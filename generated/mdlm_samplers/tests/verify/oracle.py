"""Exact minimisers as networks: what a trained one would know of the world, enumerated.

`blur` mixes in a uniform guess: with it the network is no minimiser, nor consistent with any law.
`tilt` raises probabilities to a power of 1 + tilt, and leaves the impossible impossible.
"""

from itertools import combinations
from math import comb

import torch
import torch.nn.functional as F
from torch import Tensor

from .world import BOS, EOS, MASK, PAD, SIZE, Text, V, World

EVEN = torch.tensor([float(v < SIZE or v == EOS) for v in range(V)], dtype=torch.float64)
EVEN /= EVEN.sum()


def moved(p: Tensor, even: Tensor, blur: float, tilt: float) -> Tensor:
    """p (..., V) a little off."""
    p = p ** (1 + tilt)
    total = p.sum(-1, keepdim=True)
    p = torch.where(total > 0, p / total.clamp(min=1e-300), even)  # of what never happens: a guess
    return (1 - blur) * p + blur * even


class Posterior:
    """p(x_i | visible tokens): the minimiser of cross-entropy at masked sites, for any weight > 0.

    It is so as long as which sites are masked does not depend on what stands there.
    """

    def __init__(self, world: World, blur: float = 0.0, tilt: float = 0.0):
        self.world, self.blur, self.tilt = world, blur, tilt
        self.x, _ = world.rows()

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        unseen = (tokens == MASK) | ~valid
        agrees = ((tokens[:, None] == self.x) | unseen[:, None]).all(-1)
        weight = self.world.p * agrees  # (B, K)
        site = torch.einsum("bk,klv->blv", weight, F.one_hot(self.x, V).double())
        site = site / site.sum(-1, keepdim=True).clamp(min=1e-300)
        return moved(site, EVEN, self.blur, self.tilt).log()  # (B, L, V)

    def token_logits(self, hidden: Tensor) -> Tensor:
        return hidden


class Conditional(Posterior):
    """p(x_{i+1} | x_<=i) at site i: the minimiser from left to right, with a cache of nothing."""

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        return torch.stack([self.behind(tokens, i) for i in range(tokens.shape[1])], 1)

    def behind(self, tokens: Tensor, i: int) -> Tensor:
        """(B, V): what comes after site i."""
        missing = self.world.width - tokens.shape[1]
        tokens = F.pad(tokens, (0, max(0, missing)), value=PAD)
        seen = torch.arange(tokens.shape[1]) <= i
        hidden = super().__call__(tokens, seen.expand_as(tokens))
        return hidden[:, min(i + 1, tokens.shape[1] - 1)]

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list:
        return []

    def extend_cache(self, tokens: Tensor, place: Tensor, cache: list) -> Tensor:
        return self(tokens, tokens >= 0)[torch.arange(len(place)), place]


class Missing:
    """What a partial text lacks where, and whether it is whole: the minimiser of insertion models.

    `level_mass(n, k)` is what training gives texts of n free tokens of which k are gone, in all.
    """

    def __init__(
        self, world: World, level_mass, blur: float = 0.0, tilt: float = 0.0, given: int = 0
    ):
        self.share: dict[Text, Tensor] = {}  # kept -> (gaps, SIZE), unnormalised
        self.whole: dict[Text, float] = {}
        self.blur, self.tilt = blur, tilt
        for x, p in zip(world.texts, world.p.tolist(), strict=True):
            for k, kept, lacks in partials(x, given):
                n = len(x) - given
                weight = p * level_mass(n, k) / comb(n, k)
                share = self.share.setdefault(kept, torch.zeros(len(kept) + 1, SIZE).double())
                for gap, token in lacks:
                    share[gap, token] += weight / k
                self.whole[kept] = self.whole.get(kept, 0.0) + weight * (k == 0)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        seen = tokens.masked_fill(~valid, PAD)
        states, which = seen.unique(dim=0, return_inverse=True)
        return torch.stack([self.of(line) for line in states.tolist()])[which]

    def of(self, line: list[int]) -> Tensor:
        """Of BOS, a partial text and padding, (L, V + 1): log p(gap, token), log-odds of whole."""
        kept = tuple(v for v in line if v not in (PAD, BOS))
        share = self.share.get(kept, torch.ones(len(kept) + 1, SIZE).double())
        whole = self.whole.get(kept, 0.0)
        even = torch.full((share.numel(),), 1 / share.numel(), dtype=torch.float64)
        missing = float(share.sum())
        best = share.flatten() / missing if missing > 0 else even
        hidden = torch.full((len(line), V + 1), -torch.inf, dtype=torch.float64)
        near = moved(best, even, self.blur, self.tilt).view_as(share)
        hidden[: 1 + len(kept), :SIZE] = near.log()
        ends = torch.tensor([whole, missing], dtype=torch.float64)
        ends = moved(ends / ends.sum(), torch.full_like(ends, 0.5), self.blur, self.tilt)
        hidden[:, V] = torch.logit(ends[0], eps=1e-14)
        return hidden

    def gap_token_logits(self, hidden: Tensor) -> Tensor:
        return hidden[..., :V]

    def stop_logit(self, hidden: Tensor) -> Tensor:
        return hidden[..., V]


def partials(x: Text, given: int = 0):
    """Every way to drop tokens: the number k dropped, what is left, and what each gap lacks.

    The first `given` tokens stay.
    """
    for k in range(len(x) - given + 1):
        for gone in combinations(range(given, len(x)), k):
            kept = tuple(v for i, v in enumerate(x) if i not in gone)
            lacks = [(i - sum(g < i for g in gone), x[i]) for i in gone]  # (gap, token)
            yield k, kept, lacks
