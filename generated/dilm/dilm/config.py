"""The parameters of dilm; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass

from .noise import LinearSchedule
from .rules import Temperature, TopK
from .types import Vocab


@dataclass(frozen=True)
class NoiseTime:  # how times are drawn
    edge: float = 1e-05  # minimum distance from t = 0 and t = 1; in (0, 0.001]


@dataclass(frozen=True)
class NoiseProcess:  # process poisson_drop
    mean_drops: float = 8.0  # expected number of dropped tokens at alpha = 1/2; in (0, inf)


@dataclass(frozen=True)
class Noise:  # the noise
    schedule: LinearSchedule = LinearSchedule(eps=0.0)  # alpha(t) = 1 - (1 - eps) t
    time: NoiseTime = NoiseTime()
    process: NoiseProcess = NoiseProcess()


@dataclass(frozen=True)
class SamplerTimedInsertion:  # sampler timed_insertion
    steps: int  # equal steps from t = 1 to t = 0; in [1, inf)
    gaps: Temperature | TopK  # how a gap is drawn from its distribution
    tokens: Temperature | TopK  # how a token is drawn from its distribution


@dataclass(frozen=True)
class Sampler:  # the samplers by name
    greedy: SamplerTimedInsertion = SamplerTimedInsertion(
        steps=128, gaps=TopK(k=1, temperature=1.0), tokens=TopK(k=1, temperature=1.0)
    )
    exact: SamplerTimedInsertion = SamplerTimedInsertion(
        steps=128, gaps=Temperature(temperature=1.0), tokens=Temperature(temperature=1.0)
    )


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
