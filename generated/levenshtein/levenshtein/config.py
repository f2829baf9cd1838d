"""The parameters of levenshtein; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass

from .rules import TopK
from .types import Vocab


@dataclass(frozen=True)
class NoiseCount:  # how many tokens are corrupted
    min_corrupted: int = 0  # fewest corrupted tokens per sequence; in [0, 1]


@dataclass(frozen=True)
class Noise:  # the noise
    count: NoiseCount = NoiseCount()


@dataclass(frozen=True)
class Sampler:  # sampler edit_rounds
    rounds: int = 9  # at most; in [1, inf)
    tokens: TopK = TopK(k=1, temperature=1.0)  # Drawn among the k likeliest tokens; k = 1 is greedy


@dataclass(frozen=True)
class Backbone:  # backbone rotary
    layers: int = 12  # blocks of attention and MLP; in [1, inf)
    width: int = 768  # features of a hidden state, D; in [2, inf)
    heads: int = 12  # attention heads; must divide the width; in [1, inf)
    dropout: float = 0.1  # dropout rate on each residual branch; in [0, 1)
    positions: int = 0  # learned absolute position embeddings; 0: none; in [0, inf)
    token_shift: bool = False  # add linear maps of the neighbours' embeddings


@dataclass(frozen=True)
class Config:
    """All parameters; the task's tokenizer defines the vocabulary."""

    vocab: Vocab
    noise: Noise = Noise()
    sampler: Sampler = Sampler()
    backbone: Backbone = Backbone()

    @classmethod
    def small(cls) -> "Config":
        """A tiny config for tests: a toy vocabulary, a small backbone."""
        return cls(
            vocab=Vocab(size=11, pad=8, bos=9, mask=10),
            backbone=Backbone(layers=2, width=32, heads=2, dropout=0.0, positions=0),
        )
