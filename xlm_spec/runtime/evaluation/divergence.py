"""MAUVE: the area under the divergence frontier of two sets of texts (arXiv:2102.01454)."""

from zlib import crc32

import torch
from torch import Tensor

from xlm_spec.runtime.evaluation.judge import judge_of
from xlm_spec.runtime.evaluation.set_metrics import SetMetric

POINTS = 1_000  # mixtures on the frontier
ROUNDS = 50  # of k-means
HASHED = 512  # features of n-grams
GRAM = 3  # characters


class Mauve(SetMetric):
    """MAUVE of the answers against the true texts, in (0, 1]; 1: equal distributions.

    Texts are features: hidden states of a `judge`, as in the paper, or without one counts of
    character trigrams, whose figures compare with each other only. `clusters` 0: a tenth of the
    smaller set. It depends on the number of samples: compare equal numbers.
    """

    def __init__(
        self,
        *,
        judge: str = "",
        clusters: int = 0,
        scale: float = 5.0,
        seed: int = 0,
        batch: int = 8,
        longest: int = 1024,
    ) -> None:
        super().__init__()
        self.judge, self.clusters, self.scale, self.seed = judge, clusters, scale, seed
        self.limits = batch, longest
        if judge:
            judge_of(judge)

    def of(self, texts: list[str], references: list[str]) -> float:
        if not texts or not references:
            return 0.0
        every = [*sorted(texts), *sorted(references)]  # in an order that no device decides
        features = (
            judge_of(self.judge).features(every, *self.limits) if self.judge else grams(every)
        )
        number = self.clusters or max(2, min(len(texts), len(references)) // 10)
        cluster = clustered(features, number, torch.Generator().manual_seed(self.seed))
        p, q = (
            torch.bincount(part, minlength=number).double()
            for part in cluster.split([len(texts), len(references)])
        )
        return area(p / p.sum(), q / q.sum(), self.scale)


def grams(texts: list[str]) -> Tensor:
    """Hashed counts of character trigrams, as vectors of length 1, (N, HASHED) float64."""
    out = torch.zeros(len(texts), HASHED, dtype=torch.float64)
    for row, text in enumerate(texts):
        padded = f" {text} "
        for i in range(max(1, len(padded) - GRAM + 1)):
            out[row, crc32(padded[i : i + GRAM].encode()) % HASHED] += 1
    return torch.nn.functional.normalize(out, dim=1)


def clustered(x: Tensor, number: int, rng: torch.Generator) -> Tensor:
    """The cluster of each row, (N,), by k-means from k-means++ (Arthur & Vassilvitskii 2007)."""
    centres = x[torch.randint(len(x), (1,), generator=rng)]
    while len(centres) < number:
        off = torch.cdist(x, centres).square().min(1).values
        weight = off if off.sum() > 0 else torch.ones_like(off)
        centres = torch.cat([centres, x[torch.multinomial(weight, 1, generator=rng)]])
    own = torch.cdist(x, centres).argmin(1)
    for _ in range(ROUNDS):
        sizes = torch.bincount(own, minlength=number)[:, None]
        sums = torch.zeros_like(centres).index_add_(0, own, x)
        centres = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)
        before, own = own, torch.cdist(x, centres).argmin(1)
        if torch.equal(before, own):
            break
    return own


def area(p: Tensor, q: Tensor, scale: float) -> float:
    """The area under (exp(-c KL(q || r)), exp(-c KL(p || r))) for all mixtures r = w p + (1 - w) q.

    With the ends (0, 1) and (1, 0). p, q: probabilities (K,), float64. It is 1 for p = q, and
    c B(c, c + 1) for disjoint supports.
    """
    w = torch.linspace(0, 1, POINTS + 2, dtype=torch.float64)[1:-1, None]
    r = w * p + (1 - w) * q
    x, y = (torch.exp(-scale * (a.xlogy(a) - a.xlogy(r)).sum(1)) for a in (q, p))
    x = torch.cat([torch.ones(1), x, torch.zeros(1)]).double()
    y = torch.cat([torch.zeros(1), y, torch.ones(1)]).double()
    return float(torch.trapezoid(y.flip(0), x.flip(0)))
