"""Laws of the bound: sums over sequences, corrupted sets and times."""

from collections.abc import Iterator
from math import log

import torch
from torch import Tensor

from .claims import BOUND, LIKELIHOOD
from .conditions import bounded, process_has
from .corruptions import enumerable, unenumerable
from .exact_model import built_model, exact_model, lacking_in_bound, unknown_minimiser
from .expectations import enumerated_mean, sampled_mean
from .law import Figure, law, needs, when
from .law_files import Unverified
from .method import Method
from .observed import observed
from .toy_distribution import ToyDistribution, generator

corruptible = when(
    lambda m: m.pinnable or m.states_likelihood, "the process selects the tokens itself"
)


def orders(m: Method) -> str:
    """Is the bound a mean over orders, by the law file of the process?"""
    missing = process_has("log_p_by_order")(m)
    if missing:
        return "the process has no orders" if m.states_likelihood else missing
    return lacking_in_bound(m)


TIGHT = 1e-5  # nats; some components compute in float32

ERRORS = 5.0  # standard errors: a false-alarm rate of 6e-7


def loss(m: Method):
    return lambda *args: torch.stack([*m.module.objective(*args).values()]).sum(0)


def bound(m: Method):
    """Minus the bound, in nats."""
    return lambda *args: -m.module.log_likelihood_bound(*args)


def for_bound(m: Method) -> Method:
    """The same method, with an exact model that minimises the bound, not the objective."""
    return m.minimising(bound=True)


def excess(m: Method, w: ToyDistribution, blur: float, prompt: int) -> tuple[float, float]:
    """Nats above the smallest bound, and their standard error if corruptions can't be enumerated.

    The model is perturbed by `blur`.
    """
    model, least = exact_model(m, w, blur, prompt), smallest(m, w, prompt)
    if enumerable(m):
        return enumerated_mean(m, bound(m), model, w, prompt) - least, 0.0
    mean, error = sampled_mean(m, bound(m), model, w, prompt)
    return mean - least, error


def smallest(m: Method, w: ToyDistribution, prompt: int = 0) -> float:
    """The entropy, and what the law files of losses state as the excess of the best model."""
    laws = [m.law("loss", name) for name in observed(m)]
    return w.entropy + sum(law.excess(m, w, prompt) for law in laws if hasattr(law, "excess"))


def control_blur(m: Method) -> float:
    """The perturbation of the control: the smaller, the sharper the test."""
    return 0.05 if enumerable(m) else 0.6


@law(
    "the bound equals the entropy at its minimiser", needs(bounded, unknown_minimiser), claim=BOUND
)
def entropy(m: Method) -> Iterator[Figure]:
    w, m = m.toy_distribution(), for_bound(m)
    (deviation, error), (wrong, _) = (excess(m, w, b, 0) for b in (0.0, control_blur(m)))
    yield Figure(abs(deviation), TIGHT + ERRORS * error, abs(wrong))


@law(
    "with a prompt the bound equals the conditional entropy",
    needs(bounded, unknown_minimiser),
    claim=BOUND,
)
def prompted(m: Method) -> Iterator[Figure]:
    w, m = m.toy_distribution().conditional((1,)), for_bound(m)
    (deviation, error), (wrong, _) = (excess(m, w, b, 1) for b in (0.0, control_blur(m)))
    yield Figure(abs(deviation), TIGHT + ERRORS * error, abs(wrong))


@law("training samples average to the enumerated value", needs(corruptible, unenumerable))
def averages(m: Method) -> Iterator[Figure]:
    """A random model, in standard errors of 20,000 samples. The control: the value times 1.5.

    If the bound has times of its own, a nearly exact one, whose nats depend more on the time.
    """
    w, other = m.toy_distribution(), m.random_model()
    if m.defines("noise", "bound_time") and not unknown_minimiser(m):
        other = exact_model(m, w, 0.05)
    for name, of, f in (("objective", m, loss(m)), ("bound", for_bound(m), bound(m))):
        if name == "objective" or not bounded(m):
            mean, error = sampled_mean(of, f, other, w)
            right = enumerated_mean(of, f, other, w)
            if abs(mean - right) > ERRORS * error:
                coarse = enumerated_mean(of, f, other, w, nodes=47)
                if abs(coarse - right) > error:
                    raise Unverified(f"the {name} of a random model can't be integrated over time")
            yield Figure(abs(mean - right) / error, ERRORS, abs(mean - 1.5 * right) / error, name)


@law(
    "the gradient of the bound is zero at its minimiser, and any other model is worse",
    needs(bounded, unenumerable, unknown_minimiser),
)
def minimum(m: Method) -> Iterator[Figure]:
    """A perturbation of ten times the size costs a hundred times as much; elsewhere ten times."""
    w, m = m.toy_distribution(), for_bound(m)
    at = {
        tilt: enumerated_mean(m, bound(m), exact_model(m, w, tilt=tilt), w)
        for tilt in (0.0, 0.02, 0.2, 0.22, 0.4)
    }
    rise, far = at[0.02] - at[0.0], at[0.2] - at[0.0]
    elsewhere = (at[0.22] - at[0.2]) / (at[0.4] - at[0.2])
    yield Figure(rise / far if far > 0 else torch.inf, 1 / 20, elsewhere)


built = when(lambda m: not m.of_process("minimiser"), "its minimiser is in a law file")


@law(
    "predictions with, or without, the token at their position are better, as declared",
    needs(built, unenumerable, unknown_minimiser),
)
def declared(m: Method) -> Iterator[Figure]:
    """MINIMISER of the loss: by how much the other ones are better, in nats.

    The control: by how much the declared ones are. If both are equal, nothing is tested.
    """
    w, f = m.toy_distribution(), loss(m) if bounded(m) else bound(m)
    m = m if bounded(m) else for_bound(m)
    here, other = (enumerated_mean(m, f, built_model(m, w, flipped=v), w) for v in (False, True))
    if abs(other - here) > TIGHT:
        yield Figure(max(0.0, here - other), TIGHT, other - here)


@law(
    "the objective has the same minimiser as the bound",
    needs(bounded, unenumerable, unknown_minimiser),
    warns=True,
)
def aligned(m: Method) -> Iterator[Figure]:
    """The excess of the bound at the minimiser of the objective, in nats."""
    w = m.toy_distribution()
    least = smallest(m, w)
    right, wrong = (
        enumerated_mean(for_bound(m), bound(m), exact_model(m, w, blur), w) - least
        for blur in (0.0, 0.05)
    )
    yield Figure(right, TIGHT, wrong)


@law(
    "for any model the bound is the mean over orders",
    needs(bounded, orders, unenumerable),
    claim=BOUND,
)
def mean_over_orders(m: Method) -> Iterator[Figure]:
    """Against the orders of the law file, for a random model."""
    w, m = m.toy_distribution(), for_bound(m)
    other = m.random_model()
    value = enumerated_mean(m, bound(m), other, w)
    right = -float((w.p * mean_log(m, other, w)).sum())
    yield Figure(abs(value - right), TIGHT, abs(1.01 * value - right))


@law(
    "for any model the bound is at most the log-likelihood",
    needs(bounded, orders, unenumerable),
    claim=BOUND,
)
def below_likelihood(m: Method) -> Iterator[Figure]:
    """The excess in nats. The control: half the bound."""
    w, m = m.toy_distribution(), for_bound(m)
    other = m.random_model()
    value = enumerated_mean(m, bound(m), other, w)
    right = -float((w.p * log_mean(m, other, w)).sum())
    yield Figure(max(0.0, right - value), TIGHT, right - value / 2)


is_exact = when(lambda m: m.module.EXACT, "the method has no exact likelihood")


@law(
    "the likelihood of every sequence is exact",
    needs(is_exact, unknown_minimiser),
    claim=LIKELIHOOD,
)
def exact(m: Method) -> Iterator[Figure]:
    w = m.toy_distribution()
    x = m.examples(*w.batch())
    value, wrong = (
        m.module.log_likelihood_bound(exact_model(m, w, b), x, m.config, generator())
        for b in (0.0, 0.01)
    )
    yield Figure(largest_difference(value, w.p.log()), 1e-9, largest_difference(wrong, w.p.log()))


def mean_log(m: Method, model, w: ToyDistribution) -> Tensor:
    """The mean over orders of log p(x | order), (K,): the bound."""
    return torch.stack([log_p.mean() for log_p in m.of_process("log_p_by_order")(model, w)])


def log_mean(m: Method, model, w: ToyDistribution) -> Tensor:
    """log p(x) of a model, (K,): all orders are equally likely."""
    by_order = m.of_process("log_p_by_order")(model, w)
    return torch.stack([log_p.logsumexp(0) - log(len(log_p)) for log_p in by_order])


def largest_difference(a: Tensor, b: Tensor) -> float:
    return float((a.detach().double() - b.detach().double()).abs().max())
