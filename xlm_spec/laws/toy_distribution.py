"""The toy distribution: all sequences of at most three tokens from a vocabulary of three."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import log10

import torch
from torch import Tensor

from .distinct_rows import distinct_rows

SIZE, LONGEST = 3, 3
BOS, EOS, MASK, PAD, V = 3, 4, 5, 6, 7
Tokens = tuple[int, ...]


@dataclass(frozen=True)
class ToyDistribution:
    """Sequences, their probabilities p (K,), and the layout in which a method reads them.

    `layout`: "canvas" fills the canvas with EOS (methods of fixed length), "end" appends one EOS
    (from left to right), "grow" is the sequence alone (insertion).
    """

    sequences: list[Tokens]
    p: Tensor
    layout: str

    @property
    def entropy(self) -> float:
        """Nats per sequence."""
        return float(-torch.xlogy(self.p, self.p).sum())

    @property
    def width(self) -> int:
        """Positions: BOS, the longest sequence, and one EOS for the layout "end"."""
        return 1 + LONGEST + (self.layout == "end")

    def batch(self, which: Iterable[int] | None = None) -> tuple[Tensor, Tensor]:
        """Tokens and valid, (B, L), of these sequences, or of all."""
        lines = [self.encode(x) for x in self.sequences]
        tokens = torch.tensor([[*line, *[PAD] * (self.width - len(line))] for line in lines])
        tokens = tokens if which is None else tokens[torch.tensor([*which], dtype=torch.long)]
        return tokens, tokens != PAD

    def encode(self, x: Tokens) -> list[int]:
        """The token ids of a sequence, in the layout of the method."""
        ends = {"canvas": LONGEST - len(x), "end": 1, "grow": 0}[self.layout]
        return [BOS, *x, *[EOS] * ends]

    def conditional(self, prompt: Tokens) -> "ToyDistribution":
        """The distribution given that the sequence begins with a prompt."""
        kept = [i for i, x in enumerate(self.sequences) if x[: len(prompt)] == prompt]
        p = self.p[kept]
        return ToyDistribution([self.sequences[i] for i in kept], p / p.sum(), self.layout)

    def counts(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """Counts of the sequences, (K + 1,); the last entry counts everything else."""
        index = {x: i for i, x in enumerate(self.sequences)}
        lines, which = distinct_rows(tokens.masked_fill(~valid, PAD))
        counts = torch.zeros(len(index) + 1, dtype=torch.float64)
        for line, count in zip(lines.tolist(), which.bincount().tolist(), strict=True):
            counts[index.get(self.decode(line), len(index))] += count
        return counts

    def decode(self, line: list[int]) -> Tokens:
        """The sequence of these token ids; (-1,) if they do not have the layout of the method."""
        end = next((i for i, v in enumerate(line) if v in (EOS, PAD)), len(line))
        x = tuple(line[1:end])
        ids = [v for v in line if v != PAD]
        return x if len(x) <= LONGEST and self.encode(x) == ids else (-1,)


def toy_distribution(layout: str, seed: int = 0, shortest: int = 0) -> ToyDistribution:
    """A distribution far from uniform, with dependent positions and every length."""
    sequences = [x for n in range(shortest, LONGEST + 1) for x in product(range(SIZE), repeat=n)]
    rng = torch.Generator().manual_seed(seed)
    u = torch.rand(len(sequences), generator=rng, dtype=torch.float64)
    p = (-u.log()) ** 2.5  # few sequences are probable, none is impossible
    return ToyDistribution(sequences, p / p.sum(), layout)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def quadrature(n: int = 64, folds: int = 1) -> tuple[Tensor, Tensor]:
    """Nodes in (0, 1) and weights of Gauss-Legendre quadrature, denser at both ends.

    With more `folds` still denser, for integrands with a root of t or a logarithm at an end.
    """
    k = torch.arange(1, n, dtype=torch.float64)
    off = k / torch.sqrt(4 * k**2 - 1)
    nodes, vectors = torch.linalg.eigh(torch.diag(off, 1) + torch.diag(off, -1))
    u, w = (nodes + 1) / 2, vectors[0] ** 2  # Golub and Welsch
    for _ in range(folds):
        u, w = u**2 * (3 - 2 * u), w * 6 * u * (1 - u)
    return u, w


def surprise(counts: Tensor, p: Tensor) -> float:
    """-log10 of the p-value of a chi-square test; above 6 with probability 1e-6 under p."""
    return max(0.0, -log10(max(p_value(counts, p), 1e-300)))


def homogeneity(a: Tensor, b: Tensor) -> float:
    """-log10 of the p-value of a chi-square test that two equally large samples agree."""
    kept = a + b >= 10
    a, b = (torch.cat([c[kept], c[~kept].sum()[None]]) for c in (a, b))
    a, b = a[a + b > 0], b[a + b > 0]
    if len(a) == 1:  # there is only one outcome
        return 0.0
    chi = ((a - b) ** 2 / (a + b)).sum()
    degrees = torch.tensor((len(a) - 1) / 2, dtype=torch.float64)
    return max(0.0, -log10(max(float(torch.special.gammaincc(degrees, chi / 2)), 1e-300)))


def p_value(counts: Tensor, p: Tensor) -> float:
    """Pearson's chi-square test of counts against probabilities; rare outcomes are pooled.

    Under p a p-value below alpha has probability alpha. 0 if an impossible outcome was counted.
    """
    n = counts.sum()
    if float(counts[p <= 0].sum()) > 0:
        return 0.0
    counts, p = counts[p > 0], p[p > 0] / p.sum()
    rare = p * n < 5
    counts = torch.cat([counts[~rare], counts[rare].sum()[None]])
    p = torch.cat([p[~rare], p[rare].sum()[None]])
    counts, p = counts[p > 0], p[p > 0]
    if len(p) == 1:  # there is only one outcome
        return 1.0
    chi = ((counts - n * p) ** 2 / (n * p)).sum()
    degrees = torch.tensor((len(p) - 1) / 2, dtype=torch.float64)
    return float(torch.special.gammaincc(degrees, chi / 2))
