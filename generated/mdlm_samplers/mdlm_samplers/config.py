"""The parameters of mdlm_samplers; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass
from typing import Literal

from .noise import LinearSchedule
from .rules import (
    Cap,
    Confidence,
    Entropy,
    LeftToRight,
    Margin,
    Random,
    RemaskConfidence,
    Rescale,
    Temperature,
)
from .types import Vocab


@dataclass(frozen=True)
class NoiseTime:  # how times are drawn
    edge: float = 1e-05  # minimum distance from t = 0 and t = 1; in (0, 0.001]


@dataclass(frozen=True)
class Noise:  # the noise
    schedule: LinearSchedule = LinearSchedule(eps=0.0)  # alpha(t) = 1 - (1 - eps) t
    time: NoiseTime = NoiseTime()


@dataclass(frozen=True)
class SamplerAncestral:  # sampler ancestral
    steps: int  # equal steps from t = 1 to t = 0; in [1, inf)
    tokens: Temperature  # how a token is drawn from its distribution


@dataclass(frozen=True)
class SamplerFirstHitting:  # sampler first_hitting
    tokens: Temperature  # how a token is drawn from its distribution


@dataclass(frozen=True)
class SamplerFixedBudget:  # sampler fixed_budget
    tokens_per_step: int  # positions unmasked per step; in [1, inf)
    order: Confidence | Entropy | LeftToRight | Margin | Random  # the unmasking order
    tokens: Temperature  # how a token is drawn from its distribution


@dataclass(frozen=True)
class SamplerThreshold:  # sampler threshold
    threshold: float  # minimum of max_v p(v | x_t) for unmasking; in [0, 1]
    tokens: Temperature  # how a token is drawn from its distribution


@dataclass(frozen=True)
class SamplerEntropyBounded:  # sampler entropy_bounded
    gamma: float  # bound on the joint error of a step, in nats; in [0, inf)
    proxy: Literal["entropy", "confidence", "margin"]  # order of the positions
    tokens: Temperature  # how a token is drawn from its distribution


@dataclass(frozen=True)
class WrapBlocks:  # wrap blocks
    size: int  # free positions per block; in [1, inf)


@dataclass(frozen=True)
class InBlocks:  # the wraps
    blocks: WrapBlocks


@dataclass(frozen=True)
class SamplerFixedBudgetInBlocks:  # sampler fixed_budget, wrap blocks
    tokens_per_step: int  # positions unmasked per step; in [1, inf)
    order: Confidence  # the unmasking order
    tokens: Temperature  # how a token is drawn from its distribution
    wrap: InBlocks


@dataclass(frozen=True)
class SamplerMaskPredict:  # sampler mask_predict
    rounds: int  # number of rounds, one function evaluation each; in [1, inf)
    tokens: Temperature  # how a token is drawn from its distribution


@dataclass(frozen=True)
class SamplerRemask:  # sampler remask
    steps: int  # equal steps from t = 1 to t = 0; in [1, inf)
    tokens: Temperature  # how a token is drawn from its distribution
    remasking: Cap | RemaskConfidence | Rescale  # which unmasked tokens are masked again


@dataclass(frozen=True)
class SamplerRemaskLoop:  # sampler remask_loop
    steps: int  # total number of steps; in [3, inf)
    alpha: float  # alpha(t) during the remasking phase; in (0, 1)
    before: float  # share of the steps before the phase; in [0, 1]
    during: float  # share of the steps in the phase; in [0, 1]
    tokens: Temperature  # how a token is drawn from its distribution
    remasking: Cap  # which unmasked tokens are masked again


@dataclass(frozen=True)
class Sampler:  # the samplers by name
    ancestral: SamplerAncestral = SamplerAncestral(steps=128, tokens=Temperature(temperature=1.0))
    first_hitting: SamplerFirstHitting = SamplerFirstHitting(tokens=Temperature(temperature=1.0))
    random: SamplerFixedBudget = SamplerFixedBudget(
        tokens_per_step=1, order=Random(), tokens=Temperature(temperature=1.0)
    )
    left_to_right: SamplerFixedBudget = SamplerFixedBudget(
        tokens_per_step=1, order=LeftToRight(), tokens=Temperature(temperature=1.0)
    )
    confidence: SamplerFixedBudget = SamplerFixedBudget(
        tokens_per_step=1, order=Confidence(), tokens=Temperature(temperature=1.0)
    )
    margin: SamplerFixedBudget = SamplerFixedBudget(
        tokens_per_step=1, order=Margin(), tokens=Temperature(temperature=1.0)
    )
    entropy: SamplerFixedBudget = SamplerFixedBudget(
        tokens_per_step=1, order=Entropy(), tokens=Temperature(temperature=1.0)
    )
    threshold: SamplerThreshold = SamplerThreshold(
        threshold=0.9, tokens=Temperature(temperature=1.0)
    )
    entropy_bounded: SamplerEntropyBounded = SamplerEntropyBounded(
        gamma=0.1, proxy="entropy", tokens=Temperature(temperature=1.0)
    )
    blocks: SamplerFixedBudgetInBlocks = SamplerFixedBudgetInBlocks(
        tokens_per_step=1,
        order=Confidence(),
        tokens=Temperature(temperature=1.0),
        wrap=InBlocks(blocks=WrapBlocks(size=4)),
    )
    mask_predict: SamplerMaskPredict = SamplerMaskPredict(
        rounds=10, tokens=Temperature(temperature=1.0)
    )
    remask_cap: SamplerRemask = SamplerRemask(
        steps=128, tokens=Temperature(temperature=1.0), remasking=Cap(rate=0.02)
    )
    remask_rescale: SamplerRemask = SamplerRemask(
        steps=128, tokens=Temperature(temperature=1.0), remasking=Rescale(share=0.05)
    )
    remask_confidence: SamplerRemask = SamplerRemask(
        steps=128, tokens=Temperature(temperature=1.0), remasking=RemaskConfidence()
    )
    remask_loop: SamplerRemaskLoop = SamplerRemaskLoop(
        steps=128,
        alpha=0.9,
        before=0.45,
        during=0.5,
        tokens=Temperature(temperature=1.0),
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
