"""Every number of mdlm; its dotted name, as in `--set`, is its path in the spec."""

from dataclasses import dataclass

from .noise import LinearSchedule
from .rules import Confidence, Temperature, TopK
from .types import Vocab


@dataclass(frozen=True)
class NoiseTime:
    """How times are drawn."""

    edge: float = 1e-05  # keep this far from t = 0 and t = 1; in (0, 0.001]


@dataclass(frozen=True)
class Noise:
    """The noise process."""

    schedule: LinearSchedule = LinearSchedule(eps=0.0)  # alpha(t) = 1 - (1 - eps) t
    time: NoiseTime = NoiseTime()


@dataclass(frozen=True)
class SamplerAncestral:
    """Sampler ancestral."""

    steps: int = 128  # of equal length, from t = 1 to t = 0; in [1, inf)
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerConfidence:
    """Sampler fixed_budget."""

    per_step: int = 1  # sites unmasked by each network call; in [1, inf)
    sites: Confidence = Confidence()  # The sites where the network is surest go first
    tokens: TopK = TopK(k=1, temperature=1.0)  # Drawn among the k likeliest; k = 1 is greedy


@dataclass(frozen=True)
class Sampler:
    """The samplers."""

    ancestral: SamplerAncestral = SamplerAncestral()
    confidence: SamplerConfidence = SamplerConfidence()


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
    noise: Noise = Noise()
    sampler: Sampler = Sampler()
    backbone: Backbone = Backbone()

    @classmethod
    def small(cls) -> "Config":
        """A tiny one for tests: a toy vocabulary, a small network."""
        return cls(
            vocab=Vocab(size=12, pad=8, bos=9, eos=10, mask=11),
            backbone=Backbone(layers=2, width=32, heads=2, dropout=0.0, positions=0),
        )
