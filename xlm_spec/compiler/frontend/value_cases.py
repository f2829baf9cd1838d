"""Hints for values that are not allowed or out of range: the exact replacement, if there is one."""

import re
from math import inf

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import AXES, Axis, components_of
from xlm_spec.compiler.frontend.cases import Case
from xlm_spec.compiler.frontend.location import Location
from xlm_spec.compiler.frontend.synonyms import (
    FALSE,
    code_allowed,
    custom_file,
    difference,
    form,
    instead,
    meant,
    noted,
    plain,
    unlike,
)
from xlm_spec.compiler.frontend.type_cases import REAL
from xlm_spec.compiler.runtime_settings import is_code
from xlm_spec.diagnostics import alternatives

# ---- conditions ---------------------------------------------------------------------------------


def other_rule(p: Location) -> Axis | None:
    """The rule that has this value, if the sampler does not use the rule of the key."""
    unread = p.axis and p.value is not None and not p.reads(p.axis)
    found = [a for a in axes.RULES if unread and p.reads(a) and form(a, p.text)]
    return found[0] if len(found) == 1 else None


def kind(p: Location) -> str:
    """The replacement of a `kind`, with the parameters that it implies."""
    named, more = meant(p.axis, p.text) if p.axis and p.key == "kind" else ("", "")
    lacks = unlike(more, p.around)
    write = f"write `kind: {named}, {lacks}`" if lacks else f"write `{named}`"
    return noted(write, difference(p.axis, p.text)) if p.axis and named else ""


def several(p: Location) -> list[str]:
    """The values in one string, if the axis allows a list."""
    words = re.split(r"[,+&\s]+", p.text) if p.axis and p.axis.many and p.value is not None else []
    found = [meant(p.axis, w)[0] for w in words if p.axis]
    return found if len(found) > 1 and all(found) else []


def having(p: Location) -> list[Axis]:
    """The other axes that have this value."""
    word = p.value if p.axis and isinstance(p.value, str) else ""
    return [a for a in AXES if a is not p.axis and word in components_of(a)]


def knowing(p: Location) -> Axis | None:
    """The only other axis that has a synonym of the value."""
    word = p.value if p.axis and isinstance(p.value, str) and not having(p) else ""
    found = [a for a in AXES if a is not p.axis and form(a, word)]
    return found[0] if len(found) == 1 else None


def allowed(p: Location) -> str:
    if p.axis and not components_of(p.axis):
        return custom_file(p.axis)
    return alternatives(p.value if p.value is not None else "", map(str, p.known))


def finite_number(value: object) -> bool:
    """Is it a string with a number of at least 0 that a float can hold?"""
    number = REAL.fullmatch(value) if isinstance(value, str) else None
    return number is not None and 0 <= float(number[0]) < inf


# ---- the cases -----------------------------------------------------------------------------------

NOT_ALLOWED = {
    "train: {callbacks: ./mine.py} -> write `./mine.py:Name`, with what the file defines": Case(
        lambda p: is_code(p.path) and isinstance(p.value, str) and p.value.endswith(".py"),
        lambda p, _: f"write `{p.value}:Name`, with what the file defines",
    ),
    "train: {optimizer: adamm} -> did you mean `adam`? allowed: adamw, adam, sgd, adafactor, muon; "
    "or an import path, or ./file.py:Name": Case(
        lambda p: is_code(p.path),
        lambda p, _: code_allowed(p.known, p.text),
    ),
    "noise: {process: [mask]} -> write `mask`, not a list": Case(
        lambda p: p.texts if len(p.texts) == 1 else None,
        lambda p, found: f"write `{found[0]}`, not a list",
    ),
    "sampler: [remask, threshold] -> "
    "write a mapping from names to samplers: `{remask: remask, threshold: threshold}`": Case(
        lambda p: p.path == axes.SAMPLER.parts and p.texts,
        lambda p, found: (
            f"write a mapping from names to samplers: `{{{', '.join(f'{v}: {v}' for v in found)}}}`"
        ),
    ),
    "backbone: [dit, rotary] -> write one value": Case(lambda p: isinstance(p.value, list)),
    'loss: [cross_entropy: {weight: "0.5"}] -> write 0.5, without quotes': Case(
        lambda p: p.axis is axes.WEIGHT and finite_number(p.value),
        lambda p, _: f"write {p.value}, without quotes",
    ),
    'xlm_spec: "1" -> write 1, without quotes': Case(
        lambda p: isinstance(p.value, str) and p.value in map(str, p.known),
        lambda p, _: f"write {p.value}, without quotes",
    ),
    "sampler: {kind: fixed_budget, remasking: random} -> write `order: random`": Case(
        other_rule,
        lambda p, rule: noted(
            f"write `{rule.key}: {form(rule, p.text)}`", difference(rule, p.text)
        ),
    ),
    "noise: {process: mask, schedule: {kind: square}} -> write `kind: polynomial, power: 2`": Case(
        kind
    ),
    "noise: {process: absorbing} -> write `mask`": Case(
        lambda p: p.axis and p.value is not None and instead(p.axis, p.text)
    ),
    "target: gap_tokens + stop -> write `[gap_tokens, stop]`": Case(
        several, lambda p, found: f"write `[{', '.join(found)}]`"
    ),
    "noise: {process: mask, time: no} -> remove it, or write one of: clipped, …": Case(
        lambda p: p.axis and p.axis.default and plain(p.value) in FALSE,
        lambda p, _: f"remove it, or write one of: {', '.join(map(str, p.known))}",
    ),
    "noise: {process: linear} -> allowed: drop, …; `linear` is a value of `noise.schedule`": Case(
        lambda p: having(p) if len(having(p)) < 3 else None,
        lambda p, found: noted(
            allowed(p), f"`{p.value}` is a value of {' and '.join(f'`{a.path}`' for a in found)}"
        ),
    ),
    "noise: {process: adaln} -> allowed: drop, …; for `backbone`, write `dit`": Case(
        knowing,
        lambda p, axis: noted(
            allowed(p),
            f"for `{axis.path}`, write `{form(axis, p.value)}`",
            difference(axis, p.value),
        ),
    ),
    "loss: [cross_entropy: {weight: ebo}] -> "
    "did you mean `elbo`? allowed: elbo, elbo_clipped, elbo_per_length, one, per_count, "
    "per_masked; or a number of at least 0": Case(
        lambda p: p.axis is axes.WEIGHT and p.key == axes.WEIGHT.key,
        lambda p, _: noted(allowed(p), "or a number of at least 0"),
    ),
    "noise: {process: masc} -> did you mean `mask`? allowed: drop, …": Case(allowed),
}
OUTSIDE = {
    "sampler: {kind: ancestral, tokens: {kind: temperature, temperature: 0}} -> "
    "for greedy decoding, write `{kind: top_k, k: 1}`": Case(
        lambda p: p.value == 0 and p.key == "temperature",
        lambda p, _: f"for greedy decoding, write `{form(axes.TOKENS, 'greedy')}`",
    ),
    "train: {steps: 0} -> `steps`: optimiser steps": Case(
        lambda p: p.rules.get("description"), lambda p, meaning: f"`{p.key}`: {meaning}"
    ),
}
