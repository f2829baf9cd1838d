"""Exact minimisers as networks: what a trained one would know of the world, enumerated.

`blur` mixes in a uniform guess: with it the network is no minimiser, nor consistent with any law.
`tilt` raises probabilities to a power of 1 + tilt, and leaves the impossible impossible.
"""

from collections.abc import Iterable
from functools import cache

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

    `met` tells how often training meets a text without some of its tokens: (text, their places, how
    often).
    """

    def __init__(
        self,
        met: Iterable[tuple[Text, tuple[int, ...], float]],
        blur: float = 0.0,
        tilt: float = 0.0,
    ):
        self.share: dict[Text, Tensor] = {}  # kept -> (gaps, SIZE), unnormalised
        self.whole: dict[Text, float] = {}
        self.blur, self.tilt = blur, tilt
        self.told = cache(self.of)
        for x, gone, mass in met:
            kept = tuple(v for i, v in enumerate(x) if i not in gone)
            share = self.share.setdefault(kept, torch.zeros(len(kept) + 1, SIZE).double())
            for i in gone:
                share[i - sum(g < i for g in gone), x[i]] += mass / len(gone)
            self.whole[kept] = self.whole.get(kept, 0.0) + mass * (not gone)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        seen = tokens.masked_fill(~valid, PAD)
        states, which = seen.unique(dim=0, return_inverse=True)
        return torch.stack([self.told(tuple(line)) for line in states.tolist()])[which]

    def of(self, line: tuple[int, ...]) -> Tensor:
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


class Anything:
    """A network that says something else of every state, at random: it knows nothing of any world.

    `words` are what it may predict. A causal one sees at each site what stands up to there; a timed
    one says something else in each eighth of time.
    """

    def __init__(
        self, words: tuple[int, ...], causal: bool = False, timed: bool = False, seed: int = 0
    ):
        self.causal, self.timed, self.seed = causal, timed, seed
        self.never = torch.tensor([v not in words for v in range(V)])

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        site = torch.arange(tokens.shape[1])
        state = (1 + tokens).masked_fill(~valid, 0) * (V + 1) ** site  # padding is nothing
        seen = state.cumsum(1) if self.causal else state.sum(1, keepdim=True).expand_as(state)
        place = site[:, None] * (V + 1) + torch.arange(V + 1)  # (L, V + 1)
        part = (8 * t).round()[..., None] if self.timed and t is not None else 0.0
        angle = 12.9898 * place.double() + 78.233 * seen[..., None].double() + part + self.seed / 3
        return 7 * (43758.5453 * angle.sin()).frac().abs()  # (B, L, V + 1)

    def token_logits(self, hidden: Tensor) -> Tensor:
        return hidden[..., :V].masked_fill(self.never, -torch.inf)

    gap_token_logits = token_logits

    def stop_logit(self, hidden: Tensor) -> Tensor:
        return hidden[..., V] - 5

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list:
        return []

    def extend_cache(self, tokens: Tensor, place: Tensor, cache: list) -> Tensor:
        return self(tokens, tokens >= 0)[torch.arange(len(place)), place]
