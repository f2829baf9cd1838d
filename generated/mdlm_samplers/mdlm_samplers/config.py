"""Every number of mdlm_samplers; its dotted name, as in `--set`, is its path in the spec."""

from dataclasses import dataclass

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
class SamplerFirstHitting:
    """Sampler first_hitting."""

    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerRandom:
    """Sampler fixed_budget."""

    per_step: int = 1  # sites unmasked by each network call; in [1, inf)
    sites: Random = Random()  # Any order
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerLeftToRight:
    """Sampler fixed_budget."""

    per_step: int = 1  # sites unmasked by each network call; in [1, inf)
    sites: LeftToRight = LeftToRight()  # In reading order
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerConfidence:
    """Sampler fixed_budget."""

    per_step: int = 1  # sites unmasked by each network call; in [1, inf)
    sites: Confidence = Confidence()  # The sites where the network is surest go first
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerMargin:
    """Sampler fixed_budget."""

    per_step: int = 1  # sites unmasked by each network call; in [1, inf)
    # The sites where the likeliest token is furthest ahead of the second go first
    sites: Margin = Margin()
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerEntropy:
    """Sampler fixed_budget."""

    per_step: int = 1  # sites unmasked by each network call; in [1, inf)
    sites: Entropy = Entropy()  # The sites whose token is least uncertain go first
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerThreshold:
    """Sampler threshold."""

    threshold: float = 0.9  # probability of the likeliest token, from which it is sure; in [0, 1]
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerEntropyBounded:
    """Sampler entropy_bounded."""

    gamma: float = 0.1  # nats that sites written together may share; in [0, inf)
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerBlocksOuter:
    """Loop blocks around it."""

    size: int = 4  # free sites of a block; in [1, inf)


@dataclass(frozen=True)
class SamplerBlocks:
    """Sampler fixed_budget."""

    per_step: int = 1  # sites unmasked by each network call; in [1, inf)
    sites: Confidence = Confidence()  # The sites where the network is surest go first
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax
    outer: SamplerBlocksOuter = SamplerBlocksOuter()


@dataclass(frozen=True)
class SamplerMaskPredict:
    """Sampler mask_predict."""

    rounds: int = 10  # network calls; in [1, inf)
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


@dataclass(frozen=True)
class SamplerRemaskCap:
    """Sampler remask."""

    steps: int = 128  # of equal length, from t = 1 to t = 0; in [1, inf)
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax
    # A written token is masked again with a constant probability, as far as the noise level allows
    remasking: Cap = Cap(rate=0.02)


@dataclass(frozen=True)
class SamplerRemaskRescale:
    """Sampler remask."""

    steps: int = 128  # of equal length, from t = 1 to t = 0; in [1, inf)
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax
    # A written token is masked again with a constant share of the largest probability there is
    remasking: Rescale = Rescale(share=0.05)


@dataclass(frozen=True)
class SamplerRemaskConfidence:
    """Sampler remask."""

    steps: int = 128  # of equal length, from t = 1 to t = 0; in [1, inf)
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax
    # Tokens that were written with little confidence are masked again first
    remasking: RemaskConfidence = RemaskConfidence()


@dataclass(frozen=True)
class SamplerRemaskLoop:
    """Sampler remask_loop."""

    steps: int = 128  # before, during and after the wait together; in [3, inf)
    alpha: float = 0.9  # share of tokens that stand while it waits; in (0, 1)
    before: float = 0.45  # share of the steps until then; in [0, 1]
    waits: float = 0.5  # share of the steps that it waits; in [0, 1]
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax
    # A written token is masked again with a constant probability, as far as the noise level allows
    remasking: Cap = Cap(rate=0.02)


@dataclass(frozen=True)
class Sampler:
    """The samplers."""

    ancestral: SamplerAncestral = SamplerAncestral()
    first_hitting: SamplerFirstHitting = SamplerFirstHitting()
    random: SamplerRandom = SamplerRandom()
    left_to_right: SamplerLeftToRight = SamplerLeftToRight()
    confidence: SamplerConfidence = SamplerConfidence()
    margin: SamplerMargin = SamplerMargin()
    entropy: SamplerEntropy = SamplerEntropy()
    threshold: SamplerThreshold = SamplerThreshold()
    entropy_bounded: SamplerEntropyBounded = SamplerEntropyBounded()
    blocks: SamplerBlocks = SamplerBlocks()
    mask_predict: SamplerMaskPredict = SamplerMaskPredict()
    remask_cap: SamplerRemaskCap = SamplerRemaskCap()
    remask_rescale: SamplerRemaskRescale = SamplerRemaskRescale()
    remask_confidence: SamplerRemaskConfidence = SamplerRemaskConfidence()
    remask_loop: SamplerRemaskLoop = SamplerRemaskLoop()


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
