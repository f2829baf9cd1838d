"""Laws of the objective and its bound: sums over sequences, corrupted sets and times."""

from collections.abc import Iterator
from math import log
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .calls import rows_of
from .claims import BOUND, LIKELIHOOD
from .formulas import by_formula, parts_of_loss, term_of
from .law import Figure, law, needs, when
from .law_files import NoLaw, Unverified
from .method import Method
from .noise_laws import process_has
from .schedule_laws import bounded
from .states import draw, whole
from .toy_distribution import ToyDistribution, generator


def known(m: Method) -> str:
    """Can all corruptions be enumerated?"""
    return m.unenumerable


def minimised(m: Method) -> str:
    """Is the exact model known?"""
    return m.unknown_minimiser()


corruptible = when(
    lambda m: m.pinnable or m.states_likelihood, "the process selects the tokens itself"
)


def orders(m: Method) -> str:
    """Is the bound a mean over orders, by the law file of the process?"""
    missing = process_has("log_p_by_order")(m)
    return "the process has no orders" if missing and m.states_likelihood else missing


TIGHT = 1e-5  # nats; some components compute in float32
TIME = 0.3  # in comparisons of a term with itself
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
    """Nats above the entropy, and their standard error if corruptions can't be enumerated.

    The model is perturbed by `blur`.
    """
    model = m.exact_model(w, blur, prompt)
    if m.enumerable:
        return m.mean(bound(m), model, w, prompt) - w.entropy, 0.0
    mean, error = m.estimate(bound(m), model, w, prompt)
    return mean - w.entropy, error


def control_blur(m: Method) -> float:
    """The perturbation of the control: the smaller, the sharper the test."""
    return 0.05 if m.enumerable else 0.6


@law("the bound equals the entropy at its minimiser", needs(bounded, minimised), claim=BOUND)
def entropy(m: Method) -> Iterator[Figure]:
    w, m = m.toy_distribution(), for_bound(m)
    (deviation, error), (wrong, _) = (excess(m, w, b, 0) for b in (0.0, control_blur(m)))
    yield Figure(abs(deviation), TIGHT + ERRORS * error, abs(wrong))


@law(
    "with a prompt the bound equals the conditional entropy",
    needs(bounded, minimised),
    claim=BOUND,
)
def prompted(m: Method) -> Iterator[Figure]:
    w, m = m.toy_distribution().conditional((1,)), for_bound(m)
    (deviation, error), (wrong, _) = (excess(m, w, b, 1) for b in (0.0, control_blur(m)))
    yield Figure(abs(deviation), TIGHT + ERRORS * error, abs(wrong))


@law("training samples average to the enumerated value", needs(corruptible, known))
def averages(m: Method) -> Iterator[Figure]:
    """A random model, in standard errors of 20,000 samples. The control: the value times 1.5."""
    w, other = m.toy_distribution(), m.random_model()
    for name, f in (("objective", loss(m)), ("bound", bound(m))):
        if name == "objective" or not bounded(m):
            mean, error = m.estimate(f, other, w)
            right = m.mean(f, other, w)
            yield Figure(abs(mean - right) / error, ERRORS, abs(mean - 1.5 * right) / error, name)


@law(
    "the gradient of the bound is zero at its minimiser, and any other model is worse",
    needs(bounded, known, minimised),
)
def minimum(m: Method) -> Iterator[Figure]:
    """A perturbation of ten times the size costs a hundred times as much; elsewhere ten times."""
    w, m = m.toy_distribution(), for_bound(m)
    at = {
        tilt: m.mean(bound(m), m.exact_model(w, tilt=tilt), w)
        for tilt in (0.0, 0.02, 0.2, 0.22, 0.4)
    }
    rise, far = at[0.02] - at[0.0], at[0.2] - at[0.0]
    elsewhere = (at[0.22] - at[0.2]) / (at[0.4] - at[0.2])
    yield Figure(rise / far if far > 0 else torch.inf, 1 / 20, elsewhere)


built = when(lambda m: not m.of_process("minimiser"), "its minimiser is in a law file")


@law(
    "predictions with, or without, the token at their position are better, as declared",
    needs(built, known, minimised),
)
def declared(m: Method) -> Iterator[Figure]:
    """MINIMISER of the loss: by how much the other ones are better, in nats.

    The control: by how much the declared ones are. If both are equal, nothing is tested.
    """
    w, f = m.toy_distribution(), loss(m) if bounded(m) else bound(m)
    m = m if bounded(m) else for_bound(m)
    right = m.sees_own_token
    here, other = (m.mean(f, m.built_model(w, whole=v), w) for v in (right, not right))
    if abs(other - here) > TIGHT:
        yield Figure(max(0.0, here - other), TIGHT, other - here)


@law(
    "the objective has the same minimiser as the bound",
    needs(bounded, known, minimised),
    warns=True,
)
def aligned(m: Method) -> Iterator[Figure]:
    """The excess of the bound at the minimiser of the objective, in nats."""
    w = m.toy_distribution()
    excess = m.mean(bound(m), m.exact_model(w), w) - w.entropy
    yield Figure(excess, TIGHT, m.mean(bound(m), m.exact_model(w, 0.05), w) - w.entropy)


@law(
    "for any model the bound is the mean over orders",
    needs(bounded, orders, known),
    claim=BOUND,
)
def mean_over_orders(m: Method) -> Iterator[Figure]:
    """Against the orders of the law file, for a random model."""
    w, m = m.toy_distribution(), for_bound(m)
    other = m.random_model()
    value = m.mean(bound(m), other, w)
    right = -float((w.p * mean_log(m, other, w)).sum())
    yield Figure(abs(value - right), TIGHT, abs(1.01 * value - right))


@law(
    "for any model the bound is at most the log-likelihood",
    needs(bounded, orders, known),
    claim=BOUND,
)
def below_likelihood(m: Method) -> Iterator[Figure]:
    """The excess in nats. The control: half the bound."""
    w, m = m.toy_distribution(), for_bound(m)
    other = m.random_model()
    value = m.mean(bound(m), other, w)
    right = -float((w.p * log_mean(m, other, w)).sum())
    yield Figure(max(0.0, right - value), TIGHT, right - value / 2)


is_exact = when(lambda m: m.module.EXACT, "the method has no exact likelihood")


@law("the likelihood of every sequence is exact", needs(is_exact, minimised), claim=LIKELIHOOD)
def exact(m: Method) -> Iterator[Figure]:
    w = m.toy_distribution()
    x = m.examples(*w.batch())
    value, wrong = (
        m.module.log_likelihood_bound(m.exact_model(w, b), x, m.config, generator())
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


def terms(m: Method, model, x, corrupted: Tensor | None, z=None) -> Tensor:
    """The sum of the terms of each row, in nats, with these tokens corrupted, or with this z."""
    time = torch.full((len(x.tokens), 1), TIME, dtype=torch.float64)
    with m.pinned(corrupted, TIME), m.noised(z, time):
        return torch.stack([*m.module.objective(model, x, m.config, generator()).values()]).sum(0)


def some_corruptions(m: Method):
    """Sequences of every length, a corrupted set of each, and the corrupted sequences.

    The latter are None if the set determines them.
    """
    w = m.toy_distribution()
    x = m.examples(*w.batch(range(0, len(w.sequences), 3)))
    corrupted = torch.rand(x.tokens.shape, generator=generator(2)) < 0.6
    corrupted = corrupted & x.valid & ~x.fixed
    if not (m.corrupts_at_random or m.draws_sets):
        return x, corrupted, None
    with m.noised() as seen:
        terms(m, m.random_model(), x, corrupted)
    return x, corrupted, seen[0] if seen else None


def fixed_noise(m: Method) -> str:
    """Can the objective be evaluated twice with the same noise?"""
    found = m.random_parts
    return NoLaw(f"`{found[0]}` of the objective is random") if found else ""


def of_rows(z, change):
    """The corrupted sequences with every tensor changed. Raises Unverified."""
    if z is None:
        return None
    if not all(isinstance(a, Tensor) and len(a) == len(z.tokens) for a in z):
        raise Unverified("a field of the corrupted sequences is not a tensor with a row for each")
    return type(z)(*(change(a) for a in z))


@law("loss terms do not depend on other sequences of the batch", fixed_noise)
def independent(m: Method) -> Iterator[Figure]:
    x, corrupted, z = some_corruptions(m)
    model = m.random_model()
    together = terms(m, model, x, corrupted, z)
    one = [
        terms(m, model, rows(m, x, [i]), corrupted[[i]], of_rows(z, lambda a, i=i: a[[i]]))
        for i in range(len(x.tokens))
    ]
    each = torch.cat(one)
    wrong = together / together.mean() * each.mean() + 0.01 * together.mean()
    yield Figure(largest_difference(together, each), 1e-9, largest_difference(wrong, each))


def rows(m: Method, x, which):
    return m.module.Examples(*(a[which] for a in (x.tokens, x.valid, x.fixed)))


@law("loss terms do not depend on padding", fixed_noise)
def padded(m: Method) -> Iterator[Figure]:
    """A small model in float64, with two more positions. The control: two more BOS in front."""
    x, corrupted, z = some_corruptions(m)
    model, pad, bos = m.small_model(), m.vocab.pad, m.vocab.bos
    value = terms(m, model, x, corrupted, z)
    same, other = (
        terms(
            m,
            model,
            m.module.Examples(*(F.pad(a, by, value=v) for a, v in zip(x[:3], values, strict=True))),
            F.pad(corrupted, by, value=False),
            of_rows(z, lambda a, by=by, fill=values[1]: wider(a, x.tokens.shape, by, fill)),
        )
        for by, values in (((0, 2), (pad, False, False)), ((2, 0), (bos, True, True)))
    )
    yield Figure(largest_difference(value, same), 1e-9, largest_difference(value, other))


def wider(a: Tensor, shape: torch.Size, by: tuple[int, int], valid: bool) -> Tensor:
    """A field (B, L) of the corrupted sequences with more positions; others are unchanged.

    Numbers, which may be tokens or indices, are those of the nearest position.
    """
    if a.shape != shape:
        return a
    if a.dtype == torch.bool:
        return F.pad(a, by, value=valid)
    nearest = torch.arange(-by[0], shape[1] + by[1]).clamp(0, shape[1] - 1)
    return a[:, nearest]


@law("the gradient is the derivative of the loss terms")
def gradient(m: Method) -> Iterator[Figure]:
    """Against a finite difference along a random direction of all weights; relative deviation.

    The control: half of the gradient.
    """
    x, corrupted, z = some_corruptions(m)
    model, step = m.small_model(), 1e-3
    torch.manual_seed(1)
    parts = [(p, torch.randn_like(p) / p.numel() ** 0.5) for p in model.parameters()]

    def total() -> Tensor:
        return terms(m, model, x, corrupted, z).double().sum()

    slopes = torch.autograd.grad(total(), [p for p, _ in parts], allow_unused=True)
    for name, group in groups(model):
        slope = sum(
            float((g * v).sum())
            for (p, v), g in zip(parts, slopes, strict=True)
            if g is not None and id(p) in group
        )
        ends = []
        for sign in (1, -2, 1):
            with torch.no_grad():
                for p, v in parts:
                    if id(p) in group:
                        p += sign * step * v
                ends.append(float(total()))
        right = (ends[0] - ends[1]) / (2 * step)
        scale = max(abs(right), 1e-3 * abs(ends[2]))
        yield Figure(abs(slope - right) / scale, 0.02, abs(slope / 2 - right) / scale, name)


def groups(model) -> list[tuple[str, set[int]]]:
    """The weights of the backbone, and those of the heads."""
    backbone = {id(p) for p in model.backbone.parameters()}
    heads = {id(p) for p in model.parameters()} - backbone
    return [("backbone", backbone), *([("heads", heads)] if heads else [])]


def has_formula(m: Method) -> str:
    """Has any loss the laws of all its parts?"""
    parts = [parts_of_loss(m, loss) for loss in m.plan["method"]["loss"]]
    missing = [p for p in parts if isinstance(p, NoLaw)]
    return missing[0] if len(missing) == len(parts) else ""


def some_states(m: Method) -> tuple[Any, Any]:
    """Sequences of every length, and a corruption of each."""
    w = m.toy_distribution()
    some = range(0, len(w.sequences), 3)
    if m.states_likelihood:
        found = m.states(w)
        chances = torch.where(found.x.index == torch.tensor(some)[:, None], found.p(TIME), 0.0)
        picked = torch.multinomial(chances, 1, generator=generator(2))[:, 0]
        return rows_of(found.x, picked)._replace(index=None), rows_of(found.z, picked)
    x = m.examples(*w.batch(some))
    corrupted = torch.rand(x.tokens.shape, generator=generator(2)) < 0.6
    return x, corrupted & x.valid & ~x.fixed


def pinned(m: Method) -> str:
    """Can the corruption be given?"""
    if m.corrupts and (m.states_likelihood or (m.pinnable and m.draws)):
        return m.unenumerable
    return "" if m.pinnable or not m.corrupts else "the corrupted set can't be given"


def inputs_known(m: Method) -> str:
    """Is the input of the model known?"""
    return "" if m.states_likelihood else process_has("model_input")(m)


def same_inputs(m: Method) -> str:
    """Does training call the model like samplers, with the corrupted sequences?"""
    return m.other_inputs


@law(
    "every loss term equals its formula",
    needs(pinned, known, inputs_known, same_inputs, has_formula),
)
def formula(m: Method) -> Iterator[Figure]:
    """A small model in float64, the same corruption, another time for each row.

    The largest difference relative to the largest term. The control: a term that is 1% larger.
    """
    x, corruption = some_states(m)
    model = m.small_model()
    times = torch.linspace(0.02, 0.98, len(x.tokens), dtype=torch.float64)[:, None]
    with torch.no_grad(), m.pinned(corruption, times):
        values = m.module.objective(model, x, m.config, generator())
    if not isinstance(corruption, Tensor):  # its real numbers are those of these times
        corruption = draw(m, x, times)._replace(**whole(corruption))
    for loss in m.plan["method"]["loss"]:
        parts = parts_of_loss(m, loss)
        term = term_of(loss)
        if isinstance(parts, NoLaw) or term not in values:
            continue
        with torch.no_grad():
            rows = [
                by_formula(m, parts, model, x, i, corruption, t)
                for i, t in enumerate(times.flatten().tolist())
            ]
        known_rows = [r for r in rows if r is not None]
        if len(known_rows) == len(rows):
            right = torch.tensor(known_rows, dtype=torch.float64)
            scale = right.abs().max().clamp(min=1e-12)
            value = values[term]
            off, wrong = largest_difference(value, right), largest_difference(1.01 * value, right)
            yield Figure(off / float(scale), 1e-6, wrong / float(scale), term)
