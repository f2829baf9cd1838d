"""A world small enough to enumerate: all texts of three tokens out of three, with a random law.

Everything exact is computed here, in float64; the laws hold components and packages against it.
"""

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from verify.world import generator, p_value, quadrature

__all__ = ["generator", "p_value", "quadrature"]  # and what all worlds share

SIZE, LENGTH = 3, 3
BOS, EOS, MASK, PAD, V = 3, 4, 5, 6, 7


@dataclass(frozen=True)
class World:
    """Texts x (K, 1 + LENGTH) behind BOS, and their probabilities p (K,), float64."""

    x: Tensor
    p: Tensor

    @property
    def entropy(self) -> float:
        return float(-torch.xlogy(self.p, self.p).sum())

    def draw(self, n: int, types, seed: int = 1, given: int = 1):
        """n texts; the first `given` sites are fixed."""
        k = torch.multinomial(self.p, n, replacement=True, generator=generator(seed))
        return self.examples(self.x[k], types, given)

    def examples(self, tokens: Tensor, types, given: int = 1):
        valid = torch.ones_like(tokens, dtype=torch.bool)
        fixed = torch.zeros_like(valid)
        fixed[:, :given] = True
        return types(tokens, valid, fixed)

    def start(self, n: int, types):
        """A sampler's start: BOS, and room for a text."""
        tokens = torch.full((n, 1 + LENGTH), PAD)
        tokens[:, 0] = BOS
        return self.examples(tokens, types)

    def counts(self, tokens: Tensor) -> Tensor:
        """How often each text of the world occurs, (K,); the last entry: anything else."""
        hit = (tokens[:, None] == self.x).all(-1)  # (N, K)
        return torch.cat([hit.sum(0), (~hit.any(1)).sum()[None]]).double()


def world(seed: int = 0) -> World:
    """A law of the data that is far from uniform and has no independent sites."""
    x = torch.tensor([(BOS, *w) for w in product(range(SIZE), repeat=LENGTH)])
    torch.manual_seed(seed)
    p = torch.distributions.Dirichlet(torch.full((len(x),), 0.4, dtype=torch.float64)).sample()
    return World(x, p / p.sum())


class Posterior:
    """The exact minimiser of cross-entropy under mask noise, p(x_i | visible), as a network."""

    def __init__(self, world: World, blur: float = 0.0):
        self.world, self.blur = world, blur

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        unseen = (tokens == MASK) | ~valid
        agrees = ((tokens[:, None] == self.world.x) | unseen[:, None]).all(-1)
        weight = self.world.p * agrees  # (B, K)
        onehot = torch.nn.functional.one_hot(self.world.x, V).double()
        site = torch.einsum("bk,klv->blv", weight, onehot)
        site = site / site.sum(-1, keepdim=True).clamp(min=1e-300)
        uniform = torch.zeros(V, dtype=torch.float64)
        uniform[:SIZE] = 1 / SIZE
        return ((1 - self.blur) * site + self.blur * uniform).log()  # (B, L, V)

    def token_logits(self, hidden: Tensor) -> Tensor:
        return hidden


class Conditional(Posterior):
    """p(x_{i+1} | x_<=i) at site i, as a network with a cache (of nothing)."""

    def __call__(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        sites = [self.behind(tokens, i) for i in range(tokens.shape[1])]
        return torch.stack(sites, 1)

    def behind(self, tokens: Tensor, i: int) -> Tensor:
        seen = torch.cat([tokens[:, : i + 1], torch.full_like(tokens[:, i + 1 :], MASK)], 1)
        found = super().__call__(seen, seen >= 0)
        return found[:, min(i + 1, LENGTH)]

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list:
        return []

    def extend_cache(self, tokens: Tensor, place: Tensor, cache: list) -> Tensor:
        return self(tokens, tokens >= 0)[torch.arange(len(place)), place]


ALARM = 1e-6  # false-alarm rate of each statistical law


def follows(counts: Tensor, law: Tensor) -> None:
    """The counts are drawn from the law; raises AssertionError at false-alarm rate 1e-6."""
    p = p_value(counts, law)
    assert p > ALARM, f"chi-square test: p = {p:.2e}"
