"""The parameters of dream; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass
from typing import Literal

from .noise import LinearSchedule
from .rules import Entropy, Margin, Temperature, TopK
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
    tokens: TopK  # how a token is drawn from its distribution


@dataclass(frozen=True)
class SamplerScheduledBudget:  # sampler scheduled_budget
    steps: int  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"]  # masks per step
    end: float  # time at which the steps end, of all counts but "even"; in [0, 1)
    noise: float  # scale of Gumbel noise on the score; in [0, inf)
    order: Entropy | Margin  # the unmasking order
    tokens: TopK  # how a token is drawn from its distribution


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
class WrapLogitsProcessor:  # wrap logits_processor
    temperature: float  # below 1 sharpens; in [0.001, 1000]
    top_p: float  # the likeliest tokens whose mass reaches top_p; 1: all; in (0, 1]
    top_k: int  # number of tokens kept; 0: all; in [0, inf)


@dataclass(frozen=True)
class InLogitsProcessor:  # the wraps
    logits_processor: WrapLogitsProcessor


@dataclass(frozen=True)
class SamplerScheduledBudgetInLogitsProcessor:  # sampler scheduled_budget, wrap logits_processor
    steps: int  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"]  # masks per step
    end: float  # time at which the steps end, of all counts but "even"; in [0, 1)
    noise: float  # scale of Gumbel noise on the score; in [0, inf)
    order: Entropy  # the unmasking order
    tokens: Temperature  # how a token is drawn from its distribution
    wrap: InLogitsProcessor


@dataclass(frozen=True)
class Sampler:  # the samplers by name
    origin: SamplerAncestral = SamplerAncestral(steps=512, tokens=TopK(k=1, temperature=1.0))
    entropy: SamplerScheduledBudget = SamplerScheduledBudget(
        steps=512,
        counts="floor",
        end=0.001,
        noise=0.0,
        order=Entropy(),
        tokens=TopK(k=1, temperature=1.0),
    )
    topk_margin: SamplerScheduledBudget = SamplerScheduledBudget(
        steps=512,
        counts="floor",
        end=0.001,
        noise=0.0,
        order=Margin(),
        tokens=TopK(k=1, temperature=1.0),
    )
    maskgit_plus: SamplerDrawnConfidence = SamplerDrawnConfidence(
        steps=512,
        counts="floor",
        end=0.001,
        noise=0.0,
        annealed=False,
        eos_last=False,
        tokens=TopK(k=1, temperature=1.0),
    )
    drawn: SamplerScheduledBudgetInLogitsProcessor = SamplerScheduledBudgetInLogitsProcessor(
        steps=512,
        counts="floor",
        end=0.001,
        noise=0.1,
        order=Entropy(),
        tokens=Temperature(temperature=1.0),
        wrap=InLogitsProcessor(
            logits_processor=WrapLogitsProcessor(temperature=0.2, top_p=0.95, top_k=0)
        ),
    )


@dataclass(frozen=True)
class Backbone:  # backbone rotary_shifted
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
