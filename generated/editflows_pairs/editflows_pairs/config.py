"""The parameters of editflows_pairs; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass

from .noise import LinearSchedule
from .rules import TopK
from .types import Vocab


@dataclass(frozen=True)
class NoiseTime:  # how times are drawn
    edge: float = 1e-05  # minimum distance from t = 0 and t = 1; in (0, 0.001]


@dataclass(frozen=True)
class Noise:  # the noise
    schedule: LinearSchedule = LinearSchedule(eps=0.0)  # alpha(t) = 1 - (1 - eps) t
    time: NoiseTime = NoiseTime()


@dataclass(frozen=True)
class Sampler:  # sampler edit_leaping
    steps: int = 32  # equal steps from t = 1 to t = 0; in [1, inf)
    tokens: TopK = TopK(k=1, temperature=1.0)  # Drawn among the k likeliest tokens; k = 1 is greedy


@dataclass(frozen=True)
class Backbone:  # backbone rotary_timed
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
            vocab=Vocab(size=10, pad=8, bos=9),
            backbone=Backbone(layers=2, width=32, heads=2, dropout=0.0, positions=0),
        )
