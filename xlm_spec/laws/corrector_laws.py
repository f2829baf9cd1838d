"""The law of correctors: a corrector keeps the distribution of the state that it changes."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch

from .calls import call
from .conditions import process_has, selects_tokens, stated
from .config_values import with_parameters
from .corrupting import corrupt, middle, selected
from .corruptions import evaluate, states_of, subsets, unenumerable
from .exact_model import exact_model, unknown_minimiser
from .law import ALARM, Figure, law, needs, when
from .method import Method
from .sampler_runs import exact_at, parameters_of
from .samples import count_outcomes
from .state_fields import draw
from .states import seen
from .toy_distribution import PAD, ToyDistribution, generator, surprise

ROWS = 20_000
FIELDS = (("tokens", "valid", "fixed"), ("tokens", "valid", "fixed", "open"))
WIRES = {"tokens": "draw"}  # key of a rule -> its name in signatures, if they differ


def testable(m: Method) -> list[tuple[str, str, Callable]]:
    """(sampler, kind, function) of each corrector of an exact sampler with a plain state."""
    listed = [(s, c["kind"]) for s, parts in m.samplers.items() for c in parts.get("corrector", ())]
    found = [(s, kind, function(m, kind)) for s, kind in listed if exact_at(m, s) is not None]
    return [(s, kind, f) for s, kind, f in found if state_of(f)._fields in FIELDS]


def function(m: Method, kind: str) -> Callable:
    """The function of a corrector, in its own file or in that of the only sampler."""
    part = m.part(f"corrector_{kind}") or m.part("sampler")
    return getattr(part, kind)


def state_of(corrector: Callable) -> Any:
    """The type of the state that it changes."""
    return inspect.signature(corrector).parameters["state"].annotation


stated_sets = needs(selects_tokens, stated, process_has("model_input"))


@law(
    "correctors keep the distribution of corrupted sequences",
    needs(
        when(lambda m: any("corrector" in p for p in m.samplers.values()), "no corrector"),
        when(lambda m: bool(testable(m)), "no sampler with a corrector declares `EXACT_AT`"),
        lambda m: (unenumerable if m.states_likelihood else stated_sets)(m),
        unknown_minimiser,
    ),
)
def kept(m: Method) -> Iterator[Figure]:
    """20,000 sequences at a time s in the middle, at which about half of the tokens are corrupted.

    The exact model; the control is a perturbed one.
    """
    w = m.toy_distribution()
    s = torch.full((ROWS, 1), middle(m), dtype=torch.float64)
    which = torch.multinomial(w.p, ROWS, True, generator=generator(5))
    x = m.examples(*w.batch(which))
    z = draw(m, x, s) if m.states_likelihood else corrupt(m, x, selected(m, x, s), s)
    known = corrupted_states if m.states_likelihood else corrupted_sequences
    p = known(m, w, middle(m))
    for sampler, kind, move in testable(m):
        config = with_parameters(m.config, exact_at(m, sampler) or {})
        parameters = parameters_of(m, sampler, config)
        known_of = {"tokens": z.tokens, "valid": z.valid, "fixed": x.fixed}
        known_of |= {"open": z.open} if hasattr(z, "open") else {}
        kind_of = state_of(move)
        state = kind_of(*(known_of[name] for name in kind_of._fields))
        scope = m.scope(state=state, t=s, s=s, x=x, rng=generator(6)) | rules(parameters)
        numbers = getattr(getattr(parameters, "corrector", None), kind, None)
        right, wrong = (
            deviation(call(move, scope | {"model": exact_model(m, w, blur)}, numbers), p)
            for blur in (0.0, 0.5)
        )
        yield Figure(right, ALARM, wrong, f"{sampler}, {kind}")


def rules(parameters: Any) -> dict[str, Any]:
    """The rules of a sampler, by the names in signatures."""
    return {WIRES.get(key, key): rule for key, rule in vars(parameters).items() if callable(rule)}


def corrupted_sequences(m: Method, w: ToyDistribution, t: float) -> dict[tuple[int, ...], float]:
    """The probability of each input of the model at time t, without BOS."""
    tokens, valid = w.batch()
    every = m.examples(tokens, valid)._replace(index=torch.arange(len(tokens)))
    x, sets = subsets(every)
    p = w.p[x.index] * evaluate(m, "likelihood", x, sets, t)
    out: dict[tuple[int, ...], float] = {}
    for row, valid, corrupted, mass in zip(x.tokens, x.valid, sets, p.tolist(), strict=True):
        where = corrupted.nonzero()[:, 0].tolist()
        changed, kept = m.of_process("model_input")(row, valid, where, m.vocab)
        key = tuple(v for v in changed.masked_fill(~kept, PAD)[1:].tolist() if v != PAD)
        out[key] = out.get(key, 0.0) + mass
    return out


def corrupted_states(m: Method, w: ToyDistribution, t: float) -> dict[tuple[int, ...], float]:
    """The same by the likelihood that the process states."""
    states, out = states_of(m, w), dict[tuple[int, ...], float]()
    each = (w.p[states.x.index] * states.p(t)).tolist()
    for row, p in zip(seen(states.z)[:, 1:].tolist(), each, strict=True):
        key = tuple(v for v in row if v != PAD)
        out[key] = out.get(key, 0.0) + p
    return out


def deviation(state: Any, p: dict[tuple[int, ...], float]) -> float:
    """The surprise of the sequences of a state."""
    return surprise(*count_outcomes(seen(state)[:, 1:], p))
