"""The loss term of one sequence, composed from the law files of its components."""

import inspect
from ast import literal_eval
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .config_values import numbers
from .counting import counting_of
from .law_files import Component, NoLaw
from .method import Method


class NoSet(Exception):
    """Raised by a law file that reads the corrupted set of a sequence that has none."""


class UnknownSet(list):
    """The corrupted set of a process that replaces it by the state of the sequence."""

    def unknown(self, *_: Any) -> Any:
        raise NoSet

    __iter__ = __contains__ = __len__ = __getitem__ = unknown


class Parts(NamedTuple):
    """The functions that compute the weighted nats of a sequence: see protocols.py."""

    targets: Callable
    nats: Callable
    weight: Callable


def parts_of_loss(m: Method, loss: dict) -> Parts | NoLaw:
    """The parts of a loss of the plan; or the reason why a part has no law."""
    name, weight = target_of(m, loss), loss.get("weight")
    if name is None:
        return NoLaw(f"no target has the type that loss {loss['kind']} takes")
    target = Component("target", name)
    components = [target, Component("loss", loss["kind"])]
    components += [Component("weight", weight["kind"])] if isinstance(weight, dict) else []
    missing = m.without_law(*components)
    if missing:
        return missing[0]
    laws = [m.law(c.folder, c.value) for c in components]
    weigh: Callable = partial(constant, literal_eval(weight) if isinstance(weight, str) else 1.0)
    if isinstance(weight, dict):
        weigh = partial(with_parameters(laws[2].weight, weight), counting_of(m, term_of(loss)))
    return Parts(laws[0].targets, with_parameters(laws[1].nats, loss), weigh)


def term_of(loss: dict) -> str:
    """The name of the term of a loss of the plan."""
    return loss.get("term", loss["kind"])


def target_of(m: Method, loss: dict) -> str | None:
    """The target that a loss names, or whose type it takes; None if there is none."""
    if "of" in loss:
        return loss["of"]
    function = getattr(m.part("loss"), loss["kind"])
    wanted = inspect.signature(function).parameters["target"].annotation
    targets = {
        t: inspect.signature(getattr(m.part("target"), t)) for t in m.plan["method"]["target"]
    }
    return next((t for t, s in targets.items() if s.return_annotation == wanted), None)


def with_parameters(law: Callable, settings: dict) -> Callable:
    """The law of a component with its keyword-only parameters set to the values of the plan."""
    parameters = inspect.signature(law).parameters.values()
    return partial(
        law,
        **{p.name: literal_eval(settings[p.name]) for p in parameters if p.kind == p.KEYWORD_ONLY},
    )


def constant(number: float, n: int, k: int, t: float) -> float:
    """The weight of a loss that is a number."""
    return number


def by_formula(
    m: Method, parts: Parts, model: Any, x: Any, i: int, corruption: Any, t: float
) -> float | None:
    """The weighted nats of sequence i at time t; None if its weight or target is not known."""
    tokens, valid, fixed = x.tokens[i], x.valid[i], x.fixed[i]
    n = int((valid & ~fixed).sum())
    corrupted: list[int]
    if isinstance(corruption, Tensor):
        corrupted = corruption[i].nonzero()[:, 0].tolist()
        weight = parts.weight(n, len(corrupted), t)
        seen, seen_valid = m.of_process("model_input")(tokens, valid, corrupted, m.vocab)
        state = None
    else:
        state = state_of(m, corruption, i, t)
        corrupted = dropped_from(tokens, valid, state)
        weight = parts.weight(n, 0, t)
        seen, seen_valid = state.tokens, state.valid
    if weight is None:
        return None
    try:
        targets = parts.targets(tokens, valid, fixed, corrupted, **given(parts.targets, state))
    except NoSet:
        return None
    hidden = hidden_states(model, seen, seen_valid, t)
    return weight * parts.nats(model, hidden, targets, **given(parts.nats, state))


def given(law: Callable, state: SimpleNamespace | None) -> dict[str, Any]:
    """The state, if a function of a law file reads it."""
    return {"state": state} if "state" in inspect.signature(law).parameters else {}


def dropped_from(tokens: Tensor, valid: Tensor, state: SimpleNamespace) -> list[int]:
    """The corrupted set of a state that is the sequence without some of its tokens."""
    dropped = getattr(state, "dropped", None)
    if dropped is not None:
        left = tokens[valid & ~dropped].tolist()
        if left == state.tokens[state.valid].tolist():
            return dropped.nonzero()[:, 0].tolist()
    return UnknownSet()


def state_of(m: Method, z: Any, i: int, t: float) -> SimpleNamespace:
    """The fields of one corrupted sequence, its time, its schedule, the numbers of the config."""
    fields = {n: a[i] if isinstance(a, Tensor) else a for n, a in z._asdict().items()}
    time = torch.tensor(t, dtype=torch.float64)
    return SimpleNamespace(**fields, t=time, schedule=m.schedule, numbers=numbers(m.config))


def hidden_states(model, tokens: Tensor, valid: Tensor, t: float) -> Tensor:
    """Hidden states (L, D) of one sequence."""
    time = torch.full((1, 1), t, dtype=torch.float64)
    return model(tokens[None], valid[None], time)[0]
