"""The exact world: every text of at most three tokens out of three, with a random law."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import log10

import torch
from torch import Tensor

SIZE, LONGEST = 3, 3
BOS, EOS, MASK, PAD, V = 3, 4, 5, 6, 7
Text = tuple[int, ...]


@dataclass(frozen=True)
class World:
    """Texts and their probabilities p (K,); and how a method lays them out.

    `layout`: "room" fills the rest with EOS (methods whose room is fixed), "end" writes one EOS
    (from left to right), "grow" writes the text alone (methods that insert).
    """

    texts: list[Text]
    p: Tensor
    layout: str

    @property
    def entropy(self) -> float:
        """Nats of a text."""
        return float(-torch.xlogy(self.p, self.p).sum())

    @property
    def width(self) -> int:
        """Sites of a row: BOS, the longest text, and its end where one is written."""
        return 1 + LONGEST + (self.layout == "end")

    def rows(self, which: Iterable[int] | None = None) -> tuple[Tensor, Tensor]:
        """Tokens and valid, (B, L), of these texts, or of all."""
        texts = self.texts if which is None else [self.texts[i] for i in which]
        lines = [self.row(x) for x in texts]
        tokens = torch.tensor([[*line, *[PAD] * (self.width - len(line))] for line in lines])
        return tokens, tokens != PAD

    def row(self, x: Text) -> list[int]:
        ends = {"room": LONGEST - len(x), "end": 1, "grow": 0}[self.layout]
        return [BOS, *x, *[EOS] * ends]

    def conditional(self, prompt: Text) -> "World":
        """The texts that begin with a prompt, given that they do."""
        kept = [i for i, x in enumerate(self.texts) if x[: len(prompt)] == prompt]
        p = self.p[kept]
        return World([self.texts[i] for i in kept], p / p.sum(), self.layout)

    def counts(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """How often each text was written, (K,); the last entry: anything else."""
        place = {x: i for i, x in enumerate(self.texts)}
        lines, n = tokens.masked_fill(~valid, PAD).unique(dim=0, return_counts=True)
        found = torch.zeros(len(place) + 1, dtype=torch.float64)
        for line, count in zip(lines.tolist(), n.tolist(), strict=True):
            found[place.get(self.read(line), len(place))] += count
        return found

    def read(self, line: list[int]) -> Text:
        """The text of a row; one that it can't be where the row is none of the method's."""
        end = next((i for i, v in enumerate(line) if v in (EOS, PAD)), len(line))
        text = tuple(line[1:end])
        written = [v for v in line if v != PAD]
        return text if len(text) <= LONGEST and self.row(text) == written else (-1,)


def world(layout: str, seed: int = 0, shortest: int = 0) -> World:
    """A law that is far from uniform, without independent sites, with every length."""
    texts = [x for n in range(shortest, LONGEST + 1) for x in product(range(SIZE), repeat=n)]
    rng = torch.Generator().manual_seed(seed)
    u = torch.rand(len(texts), generator=rng, dtype=torch.float64)
    p = (-u.log()) ** 2.5  # a few texts are likely, none is impossible
    return World(texts, p / p.sum(), layout)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def quadrature(n: int = 64) -> tuple[Tensor, Tensor]:
    """Nodes in (0, 1) and weights of Gauss-Legendre quadrature, crowded at both ends."""
    k = torch.arange(1, n, dtype=torch.float64)
    off = k / torch.sqrt(4 * k**2 - 1)
    nodes, vectors = torch.linalg.eigh(torch.diag(off, 1) + torch.diag(off, -1))
    u, w = (nodes + 1) / 2, vectors[0] ** 2  # Golub and Welsch
    return u**2 * (3 - 2 * u), w * 6 * u * (1 - u)


def surprise(counts: Tensor, law: Tensor) -> float:
    """-log10 of the p-value of a chi-square test; above 6 with probability 1e-6 under the law."""
    return max(0.0, -log10(max(p_value(counts, law), 1e-300)))


def p_value(counts: Tensor, law: Tensor) -> float:
    """Pearson's chi-square test of counts against a law; rare outcomes are taken together.

    Under the law a p-value below alpha has probability alpha. 0 where the impossible happened.
    """
    n = counts.sum()
    if float(counts[law <= 0].sum()) > 0:
        return 0.0
    counts, law = counts[law > 0], law[law > 0] / law.sum()
    rare = law * n < 5
    counts = torch.cat([counts[~rare], counts[rare].sum()[None]])
    law = torch.cat([law[~rare], law[rare].sum()[None]])
    counts, law = counts[law > 0], law[law > 0]
    if len(law) == 1:  # nothing else can happen, and nothing else did
        return 1.0
    chi = ((counts - n * law) ** 2 / (n * law)).sum()
    degrees = torch.tensor((len(law) - 1) / 2, dtype=torch.float64)
    return float(torch.special.gammaincc(degrees, chi / 2))
