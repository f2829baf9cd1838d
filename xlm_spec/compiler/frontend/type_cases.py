"""Hints for values of the wrong type: the exact replacement, if there is one."""

import re
from math import ceil, floor, isinf
from typing import Any

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, components_of
from xlm_spec.compiler.frontend.cases import Case
from xlm_spec.compiler.frontend.location import Location
from xlm_spec.compiler.frontend.synonyms import (
    FALSE,
    TRUE,
    code_allowed,
    difference,
    form,
    key_meant,
    language,
    noted,
    plain,
)
from xlm_spec.compiler.runtime_settings import code_names, is_code
from xlm_spec.diagnostics import alternatives

TIMES = {"k": 1_000, "m": 1_000_000}
REAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")


# ---- conditions ---------------------------------------------------------------------------------


def pairs(p: Location) -> list[str]:
    """The entries of a list of mappings, if each is on one line."""
    flat = isinstance(p.value, list) and all(isinstance(v, dict) for v in p.value)
    paths = [(*p.path, i, k) for i, v in enumerate(p.value) for k in v] if flat else []
    written = [(path[-1], p.doc.written(path)) for path in paths]
    return [f"{k}: {v}" for k, v in written] if all(v for _, v in written) else []


def single(p: Location) -> Any:
    """The value, or the only value of a list; None if there are several."""
    value = p.value if isinstance(p.value, list) else [p.value]
    return value[0] if len(value) == 1 else None


def is_float(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def axis_inside(p: Location) -> Axis | None:
    """The axis of the section that has this value."""
    return next((a for a in axes.within(p.section) if form(a, single(p))), None)


def task_key(p: Location) -> str:
    known = list(language().get(p.section, {}))
    return key_meant(p.section, "task", known) if isinstance(single(p), str) else ""


def slug(written: str) -> str:
    """A valid name that resembles an invalid one; "" if there is none."""
    slug = re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
    return slug if slug[:1].isalpha() else f"lm_{slug}" if slug else ""


def bare(p: Location) -> str:
    """A quoted number without commas and underscores; "" for other values."""
    word = p.value.strip().lower().replace("_", "") if isinstance(p.value, str) else ""
    return word.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", word) else word


def is_number(p: Location) -> bool:
    """Is it a number that YAML reads as a string?"""
    form = REAL if p.rules["type"] == "number" else re.compile(r"[-+]?\d{1,18}")
    return bool(form.fullmatch(bare(p)))


def not_finite(p: Location) -> bool:
    large = REAL.fullmatch(bare(p)) and isinf(float(bare(p)))
    return bool(large or re.fullmatch(r"[-+]?\.?(inf|nan|infinity)", bare(p)))


# ---- the cases -----------------------------------------------------------------------------------

MAPPING = {
    "train: [{lr: 1e-4}] -> write `train: {lr: 1e-4}`, without brackets or dashes": Case(
        pairs,
        lambda p, found: f"write `{p.key}: {{{', '.join(found)}}}`, without brackets or dashes",
    ),
    "loss: [cross_entropy: ] -> write `cross_entropy` without the colon": Case(
        lambda p: p.axis is axes.LOSS and single(p) is None,
        lambda p, _: f"write `{p.key}` without the colon",
    ),
    "loss: [cross_entropy: 0.5] -> write `{weight: 0.5}`": Case(
        lambda p: p.axis is axes.LOSS and is_float(single(p)) and float(single(p)) >= 0,
        lambda p, _: f"write `{{weight: {single(p)}}}`",
    ),
    "loss: [cross_entropy: true] -> "
    "write `{weight: …}` with one of: elbo, elbo_clipped, elbo_per_length, one, per_count, "
    "per_masked; or a number of at least 0": Case(
        lambda p: p.axis is axes.LOSS and not isinstance(single(p), str),
        lambda p, _: (
            f"write `{{weight: …}}` with one of: {', '.join(components_of(axes.WEIGHT))};"
            " or a number of at least 0"
        ),
    ),
    "noise: absorbing -> write `noise: {process: mask}`": Case(
        axis_inside,
        lambda p, axis: noted(
            f"write `{p.key}: {{{axis.key}: {form(axis, single(p))}}}`", difference(axis, single(p))
        ),
    ),
    "data: text -> write `data: {task: text}`": Case(
        task_key, lambda p, key: f"write `{p.key}: {{{key}: {single(p)}}}`"
    ),
    "train: -> indent its keys below it, or remove it": Case(lambda p: single(p) is None),
    "head: [token_logits: 5] -> write `token_logits` without the colon: it has no parameters": Case(
        lambda p: p.axis and not p.rules["properties"],
        lambda p, _: f"write `{p.key}` without the colon: it has no parameters",
    ),
    "noise: 5 -> allowed keys: process, schedule, time, count, roll_in": Case(
        lambda p: p.rules["properties"], lambda p, known: f"allowed keys: {', '.join(known)}"
    ),
}
DEFAULT = {
    "train: {clip: none} -> remove it to use the default, 1.0": Case(
        lambda p: plain(p.value) in ("none", "null") and p.rules.get("default") is not None,
        lambda p, _: f"remove it to use the default, {p.rules['default']}",
    ),
    "train: {lr: fast} -> write, for example, 0.0001": Case(
        lambda p: p.rules.get("default") is not None,
        lambda p, _: f"write, for example, {p.rules['default']}",
    ),
}
TEXT = {
    "train: {optimizer: [adam]} -> write `adam`, without brackets": Case(
        lambda p: p.rules.get("anyOf") and len(p.texts) == 1,
        lambda p, _: f"write `{p.texts[0]}`, without brackets",
    ),
    "train: {optimizer: 5} -> allowed: adamw, adam, sgd, adafactor, muon; "
    "or an import path, or ./file.py:Name": Case(
        lambda p: is_code(p.path),
        lambda p, _: code_allowed(code_names(p.path)),
    ),
    "loss: [cross_entropy: {of: 5}] -> allowed: clean_tokens, …": Case(
        lambda p: p.key == axes.OF and p.rules.get("anyOf"),
        lambda p, forms: alternatives("", forms[0]["enum"]),
    ),
    "name: true -> write, for example, `true_lm`": Case(
        lambda p: p.path == ("name",) and slug(p.written),
        lambda p, name: f"write, for example, `{name}{'_lm' * isinstance(p.value, bool)}`",
    ),
    "paper: 2406.07524 -> write arXiv:2406.07524": Case(
        lambda p: re.fullmatch(r"\d{4}\.\d{4,5}", p.written),
        lambda p, _: f"write arXiv:{p.written}",
    ),
    'paper: [MDLM, ReMDM] -> write one string: "MDLM, ReMDM"': Case(
        lambda p: p.texts, lambda p, found: f'write one string: "{", ".join(found)}"'
    ),
    'title: 2024 -> write "2024", in quotes': Case(
        lambda p: isinstance(p.value, int | float), lambda p, _: f'write "{p.written}", in quotes'
    ),
    **DEFAULT,
}
BOOLEAN = {  # in older versions of YAML
    "train: {compile: yes} -> write true (YAML 1.2)": Case(lambda p: plain(p.value) in TRUE),
    "train: {compile: off} -> write false (YAML 1.2)": Case(lambda p: plain(p.value) in FALSE),
    **DEFAULT,
}
NUMBER = {
    "train: {steps: [5]} -> write 5, without brackets": Case(
        lambda p: isinstance(p.value, list) and len(p.value) == 1,
        lambda p, _: f"write {p.value[0]}, without brackets",
    ),
    "train: {steps: [5, 6]} -> write one number": Case(lambda p: isinstance(p.value, list)),
    "train: {steps: 2.5} -> write 2 or 3": Case(
        lambda p: isinstance(p.value, float),
        lambda p, _: f"write {floor(p.value)} or {ceil(p.value)}",
    ),
    "train: {warmup: false} -> write 0": Case(lambda p: p.value is False),
    'train: {steps: "${n}"} -> a spec cannot contain variables: write the number': Case(
        lambda p: isinstance(p.value, str) and "${" in p.value
    ),
    "train: {steps: 0x10} -> write 16": Case(
        lambda p: re.fullmatch(r"0(x[0-9a-f]{1,12}|o[0-7]{1,12}|b[01]{1,36})", bare(p)),
        lambda p, found: f"write {int(found[0], 0)}",
    ),
    "train: {steps: 1.5k} -> write 1500": Case(
        lambda p: re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([km])", bare(p)),
        lambda p, found: f"write {float(found[1]) * TIMES[found[2]]:.0f}",
    ),
    "train: {steps: 10**3} -> write 1000": Case(
        lambda p: re.fullmatch(r"(\d{1,3})(?:\*\*|\^)(\d)", bare(p)),
        lambda p, found: f"write {int(found[1]) ** int(found[2])}",
    ),
    "train: {ema: 50%} -> write 0.5": Case(
        lambda p: p.rules["type"] == "number" and re.fullmatch(r"(\d{1,9}(\.\d{1,9})?)%", bare(p)),
        lambda p, found: f"write {float(found[1]) / 100:g}",
    ),
    "train: {clip: .inf} -> write a finite number": Case(not_finite),
    "train: {steps: 1_000} -> write 1000": Case(
        lambda p: bare(p) != p.value and is_number(p), lambda p, _: f"write {bare(p)}"
    ),
    'train: {lr: "1e-4"} -> write 1e-4, without quotes': Case(
        is_number, lambda p, _: f"write {p.value}, without quotes"
    ),
    **DEFAULT,
}
NAME = {
    "name: My-Method -> write, for example, `my_method`": Case(
        lambda p: slug(p.key if p.of_key else p.value),
        lambda p, name: f"write, for example, `{name}`",
    )
}
TABLES = {
    "object": MAPPING,
    "string": TEXT,
    "boolean": BOOLEAN,
    "number": NUMBER,
    "integer": NUMBER,
}
