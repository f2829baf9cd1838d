"""A world of texts of several lengths, and what an insertion model knows of it at best.

Every text of at most LONGEST tokens out of three, with a random law. Everything is enumerated, in
float64: which texts a partial text may come from, and what they lack where.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import product
from math import comb

import torch
from torch import Tensor

from verify.oracle import partials
from verify.world import generator

SIZE, LONGEST = 3, 3
BOS, PAD, V = 3, 4, 5
Text = tuple[int, ...]


@dataclass(frozen=True)
class Growing:
    """Texts, and their probabilities (K,), float64."""

    texts: list[Text]
    p: Tensor

    @property
    def entropy(self) -> float:
        return float(-torch.xlogy(self.p, self.p).sum())

    def examples(self, which, types):
        """Rows of BOS and a text, with padding behind it."""
        texts = [self.texts[k] for k in which]
        rows = [[BOS, *x, *[PAD] * (LONGEST - len(x))] for x in texts]
        length = torch.tensor([1 + len(x) for x in texts])
        return laid_out(torch.tensor(rows), length, types)

    def draw(self, n: int, types, seed: int = 1):
        k = torch.multinomial(self.p, n, replacement=True, generator=generator(seed))
        return self.examples(k.tolist(), types)

    def start(self, n: int, types):
        """BOS, and room for the longest text."""
        rows = torch.full((n, 1 + LONGEST), PAD)
        rows[:, 0] = BOS
        return laid_out(rows, torch.full((n,), 1 + LONGEST), types)

    def counts(self, state) -> Tensor:
        """How often each text of the world was written, (K,); the last entry: anything else."""
        rows = zip(state.tokens.tolist(), state.valid.sum(1).tolist(), strict=True)
        found = Counter(tuple(row[1:n]) for row, n in rows)
        hits = [found.pop(x, 0) for x in self.texts]
        return torch.tensor([*hits, found.total()], dtype=torch.float64)


def laid_out(tokens: Tensor, length: Tensor, types):
    site = torch.arange(tokens.shape[1])
    valid = site < length[:, None]
    return types(tokens, valid, (site == 0).expand_as(valid))


def growing(seed: int = 0, shortest: int = 0) -> Growing:
    texts = [x for n in range(shortest, LONGEST + 1) for x in product(range(SIZE), repeat=n)]
    torch.manual_seed(seed)
    p = torch.distributions.Dirichlet(torch.full((len(texts),), 0.4, dtype=torch.float64)).sample()
    return Growing(texts, p / p.sum())


class Missing:
    """The exact minimiser of gap and stop cross-entropy, as a network.

    `levels`: each number of dropped tokens counts once; else as often as training meets it. A
    partial text's hidden state is, site by site, log p(gap, token) and the log-odds of being whole.
    """

    def __init__(self, world: Growing, levels: bool = True, blur: float = 0.0):
        self.share: dict[Text, Tensor] = {}  # kept -> (gaps, SIZE), unnormalised
        self.whole: dict[Text, float] = {}
        self.blur = blur
        for x, p in zip(world.texts, world.p.tolist(), strict=True):
            for k, kept, lacks in partials(x):
                weight = p / comb(len(x), k) / (1 if levels else len(x) + 1)
                share = self.share.setdefault(kept, torch.zeros(len(kept) + 1, SIZE).double())
                for gap, token in lacks:
                    share[gap, token] += weight / k
                self.whole[kept] = self.whole.get(kept, 0.0) + weight * (k == 0)

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        seen = tokens.masked_fill(~valid, PAD)
        states, which = seen.unique(dim=0, return_inverse=True)
        return torch.stack([self.of(line) for line in states.tolist()])[which]

    def of(self, line: list[int]) -> Tensor:
        """Of BOS, a partial text and padding, (L, V + 1)."""
        kept = tuple(v for v in line[1:] if v != PAD)
        share, whole = self.share[kept], self.whole[kept]
        even = torch.full_like(share, 1 / share.numel())
        missing = share.sum()
        best = share / missing if missing > 0 else even
        hidden = torch.full((len(line), V + 1), -torch.inf, dtype=torch.float64)
        hidden[: 1 + len(kept), :SIZE] = ((1 - self.blur) * best + self.blur * even).log()
        done = (1 - self.blur) * whole / float(whole + missing) + self.blur / 2
        hidden[:, V] = torch.logit(torch.tensor(done, dtype=torch.float64), eps=1e-14)
        return hidden

    def gap_token_logits(self, hidden: Tensor) -> Tensor:
        return hidden[..., :V]

    def stop_logit(self, hidden: Tensor) -> Tensor:
        return hidden[..., V]


def config_of(method):
    """The numbers of a package, with the words of the world."""
    return method.Config(vocab=method.Vocab(size=V, pad=PAD, bos=BOS))
