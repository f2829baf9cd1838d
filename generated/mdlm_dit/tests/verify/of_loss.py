"""Laws of the objective and its bound: sums over texts, hidden sets and times, nothing drawn."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .formulas import nats, weight
from .law import Figure, law, needs, when
from .method import Method
from .of_noise import chosen_apart
from .orders import log_mean, mean_log
from .world import World, generator

bounded = when(lambda m: hasattr(m.module, "log_likelihood_bound"), "it has no bound")
known = when(
    lambda m: m.enumerable,
    "the law of its corruption is not stated, or jumps in time: say P(chosen | x), without t",
)
minimised = when(lambda m: m.minimiser_known, "its minimiser is not known here")
TIGHT = 1e-5  # nats; components compute in float32 here and there
TIME = 0.3  # of terms that are compared with themselves
SURE = 5.0  # standard errors: a false-alarm rate of 6e-7


def loss(m: Method):
    return lambda *of: torch.stack([*m.module.objective(*of).values()]).sum(0)


def bound(m: Method):
    """Nats: minus the bound."""
    return lambda *of: -m.module.log_likelihood_bound(*of)


def tight(m: Method) -> Method:
    """The same method, whose oracle minimises the bound, not the objective."""
    return m.asked(bound=True)


def above(m: Method, w: World, blur: float, given: int) -> tuple[float, float]:
    """Nats above the entropy, and the standard error where the law of its corruption is not stated.

    Of a network that is off by `blur`.
    """
    model = m.oracle(w, blur, given)
    if m.enumerable:
        return m.mean(bound(m), model, w, given) - w.entropy, 0.0
    mean, error = m.estimate(bound(m), model, w, given)
    return mean - w.entropy, error


def off_by(m: Method) -> float:
    """How far off the control is: the less, the sharper the measure."""
    return 0.05 if m.enumerable else 0.6


@law("the bound is the entropy at its minimiser", needs(bounded, minimised))
def entropy(m: Method) -> Iterator[Figure]:
    w, m = m.world(), tight(m)
    (off, error), (wrong, _) = (above(m, w, b, 0) for b in (0.0, off_by(m)))
    yield Figure(abs(off), TIGHT + SURE * error, abs(wrong))


@law("with a prompt it is the entropy of the rest", needs(bounded, minimised))
def prompted(m: Method) -> Iterator[Figure]:
    w, m = m.world().conditional((1,)), tight(m)
    (off, error), (wrong, _) = (above(m, w, b, 1) for b in (0.0, off_by(m)))
    yield Figure(abs(off), TIGHT + SURE * error, abs(wrong))


@law("what training draws averages to what is enumerated", needs(known, chosen_apart))
def averages(m: Method) -> Iterator[Figure]:
    """Of any network; in standard errors of 20,000 texts. The control: half as much again."""
    w, other = m.world(), m.anything()
    for name, f in (("objective", loss(m)), ("bound", bound(m))):
        if name == "objective" or not bounded(m):
            mean, error = m.estimate(f, other, w)
            right = m.mean(f, other, w)
            yield Figure(abs(mean - right) / error, SURE, abs(mean - 1.5 * right) / error, name)


@law("the derivative vanishes there, and any other network scores worse", needs(bounded, known))
def minimum(m: Method) -> Iterator[Figure]:
    """A step ten times as long costs a hundred times as much; elsewhere, ten times."""
    w, m = m.world(), tight(m)
    at = {tilt: m.mean(bound(m), m.oracle(w, tilt=tilt), w) for tilt in (0.0, 0.02, 0.2, 0.22, 0.4)}
    rise, far = at[0.02] - at[0.0], at[0.2] - at[0.0]
    elsewhere = (at[0.22] - at[0.2]) / (at[0.4] - at[0.2])
    yield Figure(rise / far if far > 0 else torch.inf, 1 / 20, elsewhere)


@law("training finds what the bound asks for", needs(bounded, known), warns=True)
def aligned(m: Method) -> Iterator[Figure]:
    """Nats that the objective's own minimiser loses on the bound."""
    w = m.world()
    lost = m.mean(bound(m), m.oracle(w), w) - w.entropy
    yield Figure(lost, TIGHT, m.mean(bound(m), m.oracle(w, 0.05), w) - w.entropy)


@law("of any network the bound is the mean over orders", needs(bounded, known))
def any_network(m: Method) -> Iterator[Figure]:
    """Against formulas of another module, for a network that minimises nothing."""
    w, m = m.world(), tight(m)
    other = m.anything()
    told = m.mean(bound(m), other, w)
    right = -float((w.p * mean_log(other, w, m.hides)).sum())
    yield Figure(abs(told - right), TIGHT, abs(1.01 * told - right))


@law("of no network is it above the log-likelihood", needs(bounded, known))
def below(m: Method) -> Iterator[Figure]:
    """Nats of excess; the control: half the bound."""
    w, m = m.world(), tight(m)
    other = m.anything()
    told = m.mean(bound(m), other, w)
    right = -float((w.p * log_mean(other, w, m.hides)).sum())
    yield Figure(max(0.0, right - told), TIGHT, right - told / 2)


@law("the likelihood of every text is exact", when(lambda m: m.module.EXACT, "it is a bound"))
def exact(m: Method) -> Iterator[Figure]:
    w = m.world()
    x = m.examples(*w.rows())
    found, wrong = (
        m.module.log_likelihood_bound(m.oracle(w, b), x, m.config, generator()) for b in (0.0, 0.01)
    )
    yield Figure(furthest(found, w.p.log()), 1e-9, furthest(wrong, w.p.log()))


def furthest(a: Tensor, b: Tensor) -> float:
    return float((a.detach().double() - b.detach().double()).abs().max())


def terms(m: Method, model, x, chosen: Tensor | None) -> Tensor:
    """Nats of each row, of all terms, with the same tokens hidden."""
    with m.pinned(chosen, TIME):
        return torch.stack([*m.module.objective(model, x, m.config, generator()).values()]).sum(0)


def some(m: Method):
    """Texts of every length, and a set that is hidden in each."""
    w = m.world()
    x = m.examples(*w.rows(range(0, len(w.texts), 3)))
    hide = torch.rand(x.tokens.shape, generator=generator(2)) < 0.6
    return x, hide & x.valid & ~x.fixed


pinned = when(lambda m: m.pinnable or m.hides == "behind", "what it hides is not for us to choose")


@law("a text's terms depend on no other text of the batch", pinned)
def alone(m: Method) -> Iterator[Figure]:
    x, hide = some(m)
    model = m.anything()
    together = terms(m, model, x, hide)
    one = [terms(m, model, rows(m, x, [i]), hide[i : i + 1]) for i in range(len(x.tokens))]
    each = torch.cat(one)
    spoiled = together / together.mean() * each.mean() + 0.01 * together.mean()
    yield Figure(furthest(together, each), 1e-9, furthest(spoiled, each))


def rows(m: Method, x, which):
    return m.module.Examples(*(a[which] for a in (x.tokens, x.valid, x.fixed)))


@law("columns of padding change nothing", pinned)
def padded(m: Method) -> Iterator[Figure]:
    """A real network, in float64, and rows that are two sites wider; the control: two BOS more."""
    x, hide = some(m)
    model, given = m.network(), (*x[:3], hide)
    wide, front = (
        [F.pad(a, place, value=v) for a, v in zip(given, values, strict=True)]
        for place, values in (
            ((0, 2), (m.vocab.pad, False, False, False)),
            ((2, 0), (m.vocab.bos, True, True, False)),
        )
    )
    told, same, other = (
        terms(m, model, m.module.Examples(*of[:3]), of[3]) for of in (given, wide, front)
    )
    yield Figure(furthest(told, same), 1e-9, furthest(told, other))


@law("the gradient is the derivative of the terms", pinned)
def gradient(m: Method) -> Iterator[Figure]:
    """Along a direction in which every number of a network moves; the share that is missing.

    Against a difference of values. The control: half of the gradient.
    """
    x, hide = some(m)
    model, step = m.network(), 1e-3
    torch.manual_seed(1)
    parts = [(p, torch.randn_like(p) / p.numel() ** 0.5) for p in model.parameters()]

    def total() -> Tensor:
        return terms(m, model, x, hide).double().sum()

    slopes = torch.autograd.grad(total(), [p for p, _ in parts], allow_unused=True)
    for name, chosen in groups(model):
        told = sum(
            float((g * v).sum())
            for (p, v), g in zip(parts, slopes, strict=True)
            if g is not None and id(p) in chosen
        )
        ends = []
        for sign in (1, -2, 1):
            with torch.no_grad():
                for p, v in parts:
                    if id(p) in chosen:
                        p += sign * step * v
                ends.append(float(total()))
        right = (ends[0] - ends[1]) / (2 * step)
        scale = max(abs(right), 1e-3 * abs(ends[2]))
        yield Figure(
            abs(told - right) / scale, 0.02, abs(told / 2 - right) / scale, f"of the {name}"
        )


def groups(model) -> list[tuple[str, set[int]]]:
    """The backbone's numbers, and those of its heads."""
    backbone = {id(p) for p in model.backbone.parameters()}
    heads = {id(p) for p in model.parameters()} - backbone
    return [("backbone", backbone), *([("heads", heads)] if heads else [])]


@law("every term is its formula", needs(pinned, known))
def formula(m: Method) -> Iterator[Figure]:
    """A real network in float64, the same tokens hidden, each row at a time of its own; the worst.

    The control: a row's own term, a hundredth larger.
    """
    x, hide = some(m)
    model = m.network()
    times = torch.linspace(0.02, 0.98, len(hide), dtype=torch.float64)[:, None]
    with torch.no_grad(), m.pinned(hide, times):
        told = m.module.objective(model, x, m.config, generator())
    for loss in m.plan["method"]["loss"]:
        kind, weighed = loss["kind"], loss.get("weight", {})
        rows = [
            by_formula(m, kind, weighed, model, x, hide, i, t)
            for i, t in enumerate(times.flatten().tolist())
        ]
        known_rows = [r for r in rows if r is not None]
        if kind in told and len(known_rows) == len(rows):
            right = torch.tensor(known_rows, dtype=torch.float64)
            scale = right.abs().max().clamp(min=1e-12)
            off, wrong = furthest(told[kind], right), furthest(1.01 * told[kind], right)
            yield Figure(off / float(scale), 1e-6, wrong / float(scale), kind)


def by_formula(
    m: Method, kind: str, weighed: dict, model, x, hide: Tensor, i: int, t: float
) -> float | None:
    """A row's weighted nats; None where a part is not known."""
    sites = hide[i].nonzero()[:, 0].tolist()
    n = int((x.valid[i] & ~x.fixed[i]).sum())
    with torch.no_grad():
        found = nats(m, kind, model, x, i, sites, t)
    by = weight(m, weighed.get("kind", ""), weighed, n, len(sites), t)
    return None if found is None or by is None else by * found
