"""Every number of arlm; its dotted name, as in `--set`, is its path in the spec."""

from dataclasses import dataclass

from .rules import TopK
from .types import Vocab


@dataclass(frozen=True)
class Sampler:
    """Sampler autoregressive."""

    tokens: TopK = TopK(k=1, temperature=1.0)  # Drawn among the k likeliest; k = 1 is greedy


@dataclass(frozen=True)
class Backbone:
    """The network, rotary."""

    layers: int = 12  # blocks of attention and perceptron; in [1, inf)
    width: int = 768  # features of a hidden state, D; in [2, inf)
    heads: int = 12  # of attention; they divide the width; in [1, inf)
    dropout: float = 0.1  # on each residual branch; in [0, 1)
    positions: int = 0  # learned absolute positions for this many sites; in [0, inf)
    mixing: bool = False  # add linear maps of the neighbours' embeddings


@dataclass(frozen=True)
class Config:
    """All of it; the vocabulary is decided by the task's tokenizer."""

    vocab: Vocab
    sampler: Sampler = Sampler()
    backbone: Backbone = Backbone()

    @classmethod
    def small(cls) -> "Config":
        """A tiny one for tests: a toy vocabulary, a small network."""
        return cls(
            vocab=Vocab(size=11, pad=8, bos=9, eos=10),
            backbone=Backbone(layers=2, width=32, heads=2, dropout=0.0, positions=0),
        )
