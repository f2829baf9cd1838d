"""The contents of a law file: one protocol for each axis.

`<value>_law.py` is a module with the functions below, written independently of the component, in
plain code; a law compares the two. Shapes: L positions of a sequence, V tokens of the vocabulary,
D width, N positions. Sequences are those of a `ToyDistribution`, with the ids BOS, EOS, MASK, PAD.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from torch import Tensor

Positions = tuple[int, ...]
Occurrences = Callable[[], Iterable[tuple[tuple[int, ...], Positions, float]]]
Step = Callable[[Any], dict[Any, float]]  # state -> next states with their probabilities


class ProcessLaw(Protocol):
    """The law of a noise process.

    Optional: `CORRUPTS = False` if the model reads clean sequences; `HIDES_FIXED = True` if it
    corrupts fixed tokens on purpose; `outcomes(tokens, vocab,
    schedule)`, for a process that selects the tokens itself: each input of the model with its
    probability over all times; `START` and `tokens_of(state)`: the first state of samplers, its
    distribution, or a function that returns it from a `Sampling`, and the part of a state that is
    compared; `Sampling`, a subclass of `laws.Sampling` for its samplers; for each of its ELBO
    weights a function of this name, of (n, k, t, schedule).
    """

    def model_input(self, tokens: Tensor, valid: Tensor, corrupted: list[int], vocab) -> tuple:
        """The input of the model, tokens and valid, if these positions are corrupted: (L,)."""

    def minimiser(self, w, blur: float, tilt: float) -> Any:
        """The exact minimiser of the objective on a `ToyDistribution`, with its heads.

        It is perturbed if `blur` or `tilt` are not zero (see `perturbed`). With a second parameter
        `occurrences: Occurrences` it receives how often the objective contains a sequence without
        some of its tokens: (sequence, their positions, how often).
        """

    def log_p_by_order(self, model, w) -> list[Tensor]:
        """log p(x | order), (orders,), of each sequence of a `ToyDistribution`, for any model: the
        bound is the mean over orders, the likelihood the mean of the probabilities."""


class CountLaw(Protocol):
    """The law of a count whose weights depend on the time; others follow from its `likelihood`.

    Optional: the corrupted sets are tested against the count's own `likelihood`.
    """

    def elbo_weight(self, n: int, k: int, t: float, schedule) -> float:
        """The weight with which the nats of every corrupted token count once."""

    def count_weight(self, n: int, k: int, t: float, schedule) -> float:
        """The weight with which every number k of n corrupted tokens counts once."""


class TimeLaw(Protocol):
    """The law of a distribution of times. Optional."""

    STRATA: bool  # does each of equal parts of time contain one time of the global batch?
    FEW_TIMES: dict[str, Any]  # parameters: few discrete times, or next to no time cut off

    def rank(self, t: Tensor, schedule, parameters) -> Tensor:
        """The share of the times of training before t, if these are not uniform; differentiable."""


class TargetLaw(Protocol):
    """The law of a target."""

    def targets(self, tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Any:
        """The targets of one sequence, from (L,) each: the third argument of `nats` of a loss.

        With a further parameter `state` it receives the fields of `Noised` of this sequence.
        """


class LossLaw(Protocol):
    """The law of a loss; its parameters are keyword-only.

    Optional: `excess(m, w, prompt)`, of a bound that even the best model does not lower to the
    entropy: the nats above it.
    """

    def nats(self, model, hidden: Tensor, targets) -> float:
        """The term of one sequence, from its hidden states (L, D) and its targets."""


class WeightLaw(Protocol):
    """The law of a weight; its parameters are keyword-only."""

    def weight(self, count, n: int, k: int, t: float) -> float | None:
        """The weight of a sequence with k of n free tokens corrupted at time t; None: not known.

        `count` is a `Counting`: `probability(n, k)`, `elbo(n, k, t)`, the ELBO weight of the term,
        `elbo_weight(n, k, t)`, `count_weight(n, k, t)`.
        """


class SamplerLaw(Protocol):
    """The law of a sampler.

    Optional: `FEW_STEPS`, parameters with which it takes few steps; `uniforms(masked, n)`, for a
    sampler that samples its times: numbers that are uniform in (0, 1), from 1 - alpha at each time
    that the model receives, (B, 1) each, when n tokens are unmasked.
    """

    def steps(self, s) -> Sequence[Step]:
        """The distribution of every step, from `s`, a `Sampling`; [] if it can't be enumerated."""


class OrderLaw(Protocol):
    """The law of an unmasking order; or `ANY_ORDER = True`: all orders are equally likely."""

    def score(self, rule, p: Tensor, positions: Tensor) -> Tensor:
        """Scores (N,) from p (N, V) at the positions (N,): the highest are unmasked first."""


class TokenLaw(Protocol):
    """The law of a token rule. Optional: `STRICT`, truncating parameters; `LOOSE`, others."""

    def distribution(self, rule, p: Tensor) -> Tensor:
        """The distribution of the sampled token if the model predicts p: (..., V) -> (..., V)."""


class StopLaw(Protocol):
    """The law of a stop rule. Optional: `STRICT`."""

    def stop_probability(self, rule, p: float) -> float:
        """The probability to stop if the model predicts p."""


class RemaskingLaw(Protocol):
    """The law of a remasking rule. Optional: `STRICT`."""

    def sigma(self, rule, largest: float, confidence: Sequence[float | None]) -> list[float]:
        """The remasking probability of each position; `confidence` is p of its token, None if it is
        masked."""


class WrapLaw(Protocol):
    """The law of a wrap: `windows` of a loop, or `wrapped` of a wrap of the model.

    Optional: `STRICT`.
    """

    def windows(self, wrap, n: int) -> list[Positions]:
        """The free positions, out of n, of each window in order."""

    def wrapped(self, wrap, model) -> Any:
        """A model with the outputs of the wrapped `model`, if only BOS is fixed.

        With a further parameter `sampling` it receives the sampler, a `Sampling`.
        """


class CorrectorLaw(Protocol):
    """The law of a corrector. Optional: `STRICT`."""

    def correction(self, s, corrector) -> Step | list[Step]:
        """The distribution of its move, from `s`, a `Sampling`: the same after each step, or one
        after each."""


class HeadLaw(Protocol):
    """The law of a head."""

    def output(self, hidden: Tensor, excluded: Tensor) -> Tensor:
        """The output of this head of a random model: hidden (..., V + 1) of numbers in [0, 7),
        `excluded` (V,) bool marks tokens that it may not predict."""


class Needed(NamedTuple):
    """The functions of a law file of an axis, and what is not verified without it."""

    names: tuple[str, ...]
    unverified: str


NEEDED = {
    "process": Needed(
        ("model_input", "minimiser", "log_p_by_order"),
        "its corruption and its exact model are not verified",
    ),
    "target": Needed(("targets",), "its targets are not verified"),
    "loss": Needed(("nats",), "its terms are not verified"),
    "weight": Needed(("weight",), "its weights are not verified"),
    "sampler": Needed(("steps",), "its steps are not verified"),
    "order": Needed(("score",), "its order is not verified"),
    "tokens": Needed(("distribution",), "its samples are not verified"),
    "stop": Needed(("stop_probability",), "its stop decisions are not verified"),
    "remasking": Needed(("sigma",), "its remasking is not verified"),
    "wrap": Needed(("windows",), "its windows, or its wrapped model, are not verified"),
    "corrector": Needed(("correction",), "its moves are not verified"),
    "head": Needed(("output",), "laws with a random model are not tested"),
}
