"""The parameters of remdm; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass

from .noise import LinearSchedule
from .rules import Cap, RemaskConfidence, Rescale, TopPBelow
from .types import Vocab


@dataclass(frozen=True)
class NoiseTime:  # how times are drawn
    edge: float = 1e-05  # minimum distance from t = 0 and t = 1; in (0, 0.001]


@dataclass(frozen=True)
class Noise:  # the noise
    schedule: LinearSchedule = LinearSchedule(eps=0.0)  # alpha(t) = 1 - (1 - eps) t
    time: NoiseTime = NoiseTime()


@dataclass(frozen=True)
class SamplerRemask:  # sampler remask
    steps: int  # equal steps from t = 1 to t = 0; in [1, inf)
    tokens: TopPBelow  # how a token is drawn from its distribution
    remasking: Cap | RemaskConfidence | Rescale  # which unmasked tokens are masked again


@dataclass(frozen=True)
class SamplerRemaskLoop:  # sampler remask_loop
    steps: int  # total number of steps; in [3, inf)
    alpha: float  # alpha(t) during the remasking phase; in (0, 1)
    before: float  # share of the steps before the phase; in [0, 1]
    during: float  # share of the steps in the phase; in [0, 1]
    tokens: TopPBelow  # how a token is drawn from its distribution
    remasking: Cap  # which unmasked tokens are masked again


@dataclass(frozen=True)
class Sampler:  # the samplers by name
    cap: SamplerRemask = SamplerRemask(
        steps=1024, tokens=TopPBelow(p=0.9, temperature=1.0), remasking=Cap(rate=0.008)
    )
    rescale: SamplerRemask = SamplerRemask(
        steps=1024, tokens=TopPBelow(p=0.9, temperature=1.0), remasking=Rescale(share=0.015)
    )
    conf: SamplerRemask = SamplerRemask(
        steps=1024, tokens=TopPBelow(p=0.9, temperature=1.0), remasking=RemaskConfidence()
    )
    loop: SamplerRemaskLoop = SamplerRemaskLoop(
        steps=1024,
        alpha=0.9,
        before=0.45,
        during=0.5,
        tokens=TopPBelow(p=0.9, temperature=1.0),
        remasking=Cap(rate=0.02),
    )


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
            vocab=Vocab(size=12, pad=8, bos=9, eos=10, mask=11),
            backbone=Backbone(layers=2, width=32, heads=2, dropout=0.0, positions=0),
        )
