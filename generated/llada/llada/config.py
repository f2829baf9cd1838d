"""The parameters of llada; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass
from typing import Literal

from .noise import LinearSchedule
from .rules import Random, Temperature, TopK
from .types import Vocab


@dataclass(frozen=True)
class NoiseTime:  # how times are drawn
    edge: float = 1e-05  # minimum distance from t = 0 and t = 1; in (0, 0.001]


@dataclass(frozen=True)
class Noise:  # the noise
    schedule: LinearSchedule = LinearSchedule(eps=0.0)  # alpha(t) = 1 - (1 - eps) t
    time: NoiseTime = NoiseTime()


@dataclass(frozen=True)
class SamplerDrawnConfidence:  # sampler drawn_confidence
    steps: int  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"]  # masks per step
    end: float  # time at which the steps end, of all counts but "even"; in [0, 1)
    noise: float  # scale of Gumbel noise on the confidence; in [0, inf)
    annealed: bool  # noise on its logarithm, falling to zero with the steps (MaskGIT)
    eos_last: bool  # a drawn EOS has confidence 0
    tokens: TopK  # how a token is drawn from its distribution


@dataclass(frozen=True)
class SamplerScheduledBudget:  # sampler scheduled_budget
    steps: int  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"]  # masks per step
    end: float  # time at which the steps end, of all counts but "even"; in [0, 1)
    noise: float  # scale of Gumbel noise on the score; in [0, inf)
    order: Random  # the unmasking order
    tokens: Temperature  # how a token is drawn from its distribution


@dataclass(frozen=True)
class WrapBlocks:  # wrap blocks
    size: int  # free positions per block; in [1, inf)


@dataclass(frozen=True)
class InBlocks:  # the wraps
    blocks: WrapBlocks


@dataclass(frozen=True)
class SamplerDrawnConfidenceInBlocks:  # sampler drawn_confidence, wrap blocks
    steps: int  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"]  # masks per step
    end: float  # time at which the steps end, of all counts but "even"; in [0, 1)
    noise: float  # scale of Gumbel noise on the confidence; in [0, inf)
    annealed: bool  # noise on its logarithm, falling to zero with the steps (MaskGIT)
    eos_last: bool  # a drawn EOS has confidence 0
    tokens: TopK  # how a token is drawn from its distribution
    wrap: InBlocks


@dataclass(frozen=True)
class WrapGuidance:  # wrap guidance
    scale: float  # 0: no guidance; in [0, inf)
    keep: int  # first tokens of the prompt that are never masked; 1: BOS; in [0, inf)


@dataclass(frozen=True)
class InGuidance:  # the wraps
    guidance: WrapGuidance


@dataclass(frozen=True)
class SamplerDrawnConfidenceInGuidance:  # sampler drawn_confidence, wrap guidance
    steps: int  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"]  # masks per step
    end: float  # time at which the steps end, of all counts but "even"; in [0, 1)
    noise: float  # scale of Gumbel noise on the confidence; in [0, inf)
    annealed: bool  # noise on its logarithm, falling to zero with the steps (MaskGIT)
    eos_last: bool  # a drawn EOS has confidence 0
    tokens: TopK  # how a token is drawn from its distribution
    wrap: InGuidance


@dataclass(frozen=True)
class Sampler:  # the samplers by name
    low_confidence: SamplerDrawnConfidence = SamplerDrawnConfidence(
        steps=128,
        counts="even",
        end=0.0,
        noise=0.0,
        annealed=False,
        eos_last=False,
        tokens=TopK(k=1, temperature=1.0),
    )
    random: SamplerScheduledBudget = SamplerScheduledBudget(
        steps=128,
        counts="even",
        end=0.0,
        noise=0.0,
        order=Random(),
        tokens=Temperature(temperature=1.0),
    )
    blocks: SamplerDrawnConfidenceInBlocks = SamplerDrawnConfidenceInBlocks(
        steps=32,
        counts="even",
        end=0.0,
        noise=0.0,
        annealed=False,
        eos_last=False,
        tokens=TopK(k=1, temperature=1.0),
        wrap=InBlocks(blocks=WrapBlocks(size=32)),
    )
    guided: SamplerDrawnConfidenceInGuidance = SamplerDrawnConfidenceInGuidance(
        steps=128,
        counts="even",
        end=0.0,
        noise=0.0,
        annealed=False,
        eos_last=False,
        tokens=TopK(k=1, temperature=1.0),
        wrap=InGuidance(guidance=WrapGuidance(scale=1.0, keep=0)),
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
