"""Laws of the terms of a batch: they are independent, ignore padding, and have right gradients."""

import inspect
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .bound_laws import largest_difference
from .corruptions import states_of, unenumerable
from .law import Figure, law, needs
from .law_files import NoLaw, Unverified
from .method import Method
from .pinning import noised, pinned, random_parts
from .toy_distribution import V, generator

TIME = 0.3  # in comparisons of a term with itself
FAR = 500  # positions


def terms(m: Method, model, x, corrupted: Tensor | None, z=None) -> Tensor:
    """The sum of the terms of each row, in nats, with these tokens corrupted, or with this z."""
    time = torch.full((len(x.tokens), 1), TIME, dtype=torch.float64)
    with pinned(m, corrupted, TIME), noised(m, z, time):
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
    with noised(m) as seen:
        terms(m, m.random_model(), x, corrupted)
    return x, corrupted, seen[0] if seen else None


def fixed_noise(m: Method) -> str:
    """Can the objective be evaluated twice with the same noise?"""
    found = random_parts(m)
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


def by_itself(m: Method) -> str:
    """Can a corruption be moved to other positions?"""
    if not m.corrupts or not (m.corrupts_at_random or m.draws_sets):
        return ""
    why = unenumerable(m)
    if why or states_of(m, m.toy_distribution()).closed:
        return str(why)
    return "the corruption does not keep positions"


class Local:
    """A model whose hidden states depend on the token at their position alone."""

    def __init__(self, model):
        self.model = model
        tokens = torch.arange(V)[:, None]
        valid, t = torch.ones_like(tokens, dtype=torch.bool), torch.full(tokens.shape, TIME)
        with torch.no_grad():
            self.table = model(tokens, valid, t.double())[:, 0]  # (V, D)

    def __call__(self, tokens: Tensor, *_: Any, **__: Any) -> Tensor:
        return self.table[tokens]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


@law(
    "loss terms do not depend on the position in the sequence",
    needs(fixed_noise, lambda m: m.other_inputs, by_itself),
)
def moved(m: Method) -> Iterator[Figure]:
    """With FAR more BOS in front, if the model sees one token at a time. The control: 1% more."""
    x, corrupted, z = some_corruptions(m)
    model, fill = Local(m.small_model()), (m.vocab.bos, True, True)
    value, far = (
        terms(
            m,
            model,
            m.module.Examples(*(F.pad(a, by, value=v) for a, v in zip(x[:3], fill, strict=True))),
            F.pad(corrupted, by, value=False),
            of_rows(z, lambda a, by=by: wider(a, x.tokens.shape, by, True)),
        )
        for by in ((0, 0), (FAR, 0))
    )
    yield Figure(largest_difference(value, far), 1e-9, largest_difference(value, 1.01 * far))


@law("loss terms are the same in training mode")
def in_training(m: Method) -> Iterator[Figure]:
    """The layers of the model, such as dropout, stay in eval mode. The control: 1% more.

    All laws are tested in eval mode, so they say nothing about another objective in training.
    """
    x, corrupted, z = some_corruptions(m)
    model = m.small_model()
    value = terms(m, model, x, corrupted, z)
    model.training = True
    other = terms(m, model, x, corrupted, z)
    yield Figure(largest_difference(value, other), 1e-9, largest_difference(value, 1.01 * other))


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

    The control: half of the gradient. If the corruption depends on the model, the objective can add
    the gradient of its probability on purpose, which is no derivative of a term (REINFORCE).
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
        off, wrong = (abs(a - right) / scale for a in (slope, slope / 2))
        yield Figure(off, 0.02, wrong, name, intended=reads_model(m))


def reads_model(m: Method) -> bool:
    """Does the corruption depend on the model?"""
    noise = m.part("noise")
    functions = (getattr(noise, n, None) for n in ("select_tokens", "corrupt"))
    return any(f and "model" in inspect.signature(f).parameters for f in functions)


def groups(model) -> list[tuple[str, set[int]]]:
    """The weights of the backbone, and those of the heads."""
    backbone = {id(p) for p in model.backbone.parameters()}
    heads = {id(p) for p in model.parameters()} - backbone
    return [("backbone", backbone), *([("heads", heads)] if heads else [])]
