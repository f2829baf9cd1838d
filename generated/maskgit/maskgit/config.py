"""The parameters of maskgit; each dotted name, as in `--set`, is a path in the spec."""

from dataclasses import dataclass
from typing import Literal

from .noise import CosineSchedule
from .rules import Temperature
from .types import Vocab


@dataclass(frozen=True)
class NoiseTime:  # how times are drawn
    edge: float = 1e-05  # minimum distance from t = 0 and t = 1; in (0, 0.001]


@dataclass(frozen=True)
class Noise:  # the noise
    # alpha(t) = 1 - sin(pi t / 2): slow near t = 1, fast near t = 0
    schedule: CosineSchedule = CosineSchedule()
    time: NoiseTime = NoiseTime()


@dataclass(frozen=True)
class Sampler:  # sampler drawn_confidence
    steps: int = 12  # decoding steps; in a block, with `blocks`; in [1, inf)
    # masks per step
    counts: Literal["even", "floor", "round", "masks_left", "binomial"] = "masks_left"
    end: float = 0.0  # time at which the steps end, of all counts but "even"; in [0, 1)
    noise: float = 4.5  # scale of Gumbel noise on the confidence; in [0, inf)
    annealed: bool = True  # noise on its logarithm, falling to zero with the steps (MaskGIT)
    eos_last: bool = False  # a drawn EOS has confidence 0
    tokens: Temperature = Temperature(temperature=1.0)  # Drawn from the softmax


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
