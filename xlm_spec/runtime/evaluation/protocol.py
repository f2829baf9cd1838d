"""The evaluation protocol `v1` of text: what each figure is, in every record that names it.

docs/guides/protocol.md has the equations. A change of a definition is a new version.
"""

import ast
import inspect
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config.choices import Choice, kind_of, options_of
from xlm_spec.runtime.config.resolve_config import assignment
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.loading.managers import Loaders

VERSION = "v1"
SAMPLES: tuple[dict[str, Any], ...] = (  # metrics of samples, as entries of `data.metrics`
    {"kind": "xlm_spec.runtime.data.metrics.length", "name": "length"},
    *({"kind": "distinct", "n": n, "name": f"distinct_{n}"} for n in (1, 2, 3)),
    {"kind": "repetition", "n": 4, "name": "repetition_4"},
)
JUDGED = "generative_nll"


def is_text(task: Any) -> bool:
    """Has a task text to count, so that its likelihood is a figure?"""
    return hasattr(task, "characters")


def kind_of_likelihood(run: Run) -> str:
    """What the likelihood of a package is.

    `exact`: log p(x). Else a lower bound, estimated with noise that is drawn for each sequence:
    `monte_carlo_bound`; `time_stratified_bound`, with times that are spread evenly; or
    `count_stratified_bound`, with numbers of corrupted tokens that are.
    """
    if getattr(run.package, "EXACT", False):
        return "exact"
    if not is_stratified(run):
        return "monte_carlo_bound"
    counted = hasattr(getattr(run.config, "noise", None), "count")
    return "count_stratified_bound" if counted else "time_stratified_bound"


def is_stratified(run: Run) -> bool:
    """Does the noise of the package spread its times over the examples, by their `x.index`?"""
    noise = sys.modules.get(f"{run.name}.noise")
    nodes = ast.walk(ast.parse(inspect.getsource(noise))) if noise else ()
    return any(isinstance(n, ast.Attribute) and ast.unparse(n) == "x.index" for n in nodes)


def error_of(nats: Tensor, tokens: Tensor) -> float | None:
    """The standard error of r = sum nats / sum tokens, of n examples; None for one example.

    sqrt(n / (n - 1) sum_i (nats_i - r tokens_i)^2) / sum tokens covers the variance of the
    examples and of the noise. If few examples carry most of the sum, it is too small.
    """
    nats, n = nats.double(), len(nats)
    if n < 2:
        return None
    off = (nats - nats.sum() / tokens.sum() * tokens).square().sum() * n / (n - 1)
    return (off.sqrt() / tokens.sum()).item()


def noise_error_of(nats: Tensor, tokens: Tensor) -> float | None:
    """The part of the standard error that more draws reduce, of nats (N, K); None for K = 1.

    sqrt(sum_i s_i^2 / K) / sum tokens, with s_i^2 the variance over the draws of example i. It is
    too large for strata, whose draws are not independent.
    """
    if nats.shape[1] < 2:
        return None
    return ((nats.double().var(1).sum() / nats.shape[1]).sqrt() / tokens.sum()).item()


def likelihood(
    run: Run, nats: Tensor, tokens: Tensor, characters: int = 0, size: int = 0
) -> dict[str, float | bool | str | None]:
    """The figures of the likelihood, all of the same number sum nats.

    `nats`: minus the bound of log p(x) of each sequence and draw, (N, K); `tokens`: its tokens,
    (N,); `characters` and `size`: of all text, the latter in bytes; 0: not known.
    """
    each, total = nats.double().mean(1), tokens.double().sum().item()
    whole = each.sum().item()
    exact = getattr(run.package, "EXACT", False)
    name = "nll" if exact else "nelbo"
    found: dict[str, float | bool | str | None] = {
        name: whole / total,
        f"{name}_error": error_of(each, tokens),
        "bound": not exact,
        "likelihood": kind_of_likelihood(run),
    }
    if not exact:
        found |= {"draws": nats.shape[1], f"{name}_noise_error": noise_error_of(nats, tokens)}
    found["perplexity" if exact else "perplexity_bound"] = math.exp(min(whole / total, 700))
    found["bits_per_token"] = whole / total / math.log(2)
    for unit, number in (("character", characters), ("byte", size)):
        if number:
            found[f"nats_per_{unit}"] = whole / number
            found[f"bits_per_{unit}"] = whole / number / math.log(2)
    return found


def sizes(task: Any, split: str) -> dict[str, int]:
    """The characters and bytes of the text of a split, where a task states them."""
    found = {"characters": task.characters(split)}
    return found | ({"size": task.bytes(split)} if hasattr(task, "bytes") else {})


def with_samples(run: Run, judge: str = "") -> Run:
    """A run of text with the metrics of samples; those that it names itself stay."""
    own = {name_of(m) for m in run.data.metrics}
    own |= {*run.task.metrics}
    more = [dict(m) for m in SAMPLES if m["name"] not in own]
    if judge and JUDGED not in own:
        more.append({"kind": JUDGED, "judge": judge})
    entries = [m | {"loaders": ["task"], "stages": ["val", "test"]} for m in more]
    return replace(run, data=replace(run.data, metrics=(*run.data.metrics, *entries)))


def name_of(metric: Choice) -> str:
    """The name of an entry of `data.metrics`."""
    return str(options_of(metric).get("name", re.split(r"[:.]", kind_of(metric))[-1]))


def with_corpora(run: Run, texts: Sequence[str]) -> tuple[Run, frozenset[str]]:
    """A run that also scores other corpora, `TASK[,key=value...]` each, and their names.

    Their tokens are those of the run, and so is the length of their blocks unless they set it.
    Raises Failed (X602).
    """
    entries: list[dict[str, Any]] = []
    for text in texts:
        name, *pairs = text.split(",")
        options = {k.removeprefix("data."): v for k, v in map(assignment, pairs)}
        task = tasks.find(name.strip())
        known = vars(task.options)
        if "block" in known and "block" not in options and "block" in vars(run.task.options):
            options["block"] = str(run.task.options.block)
        options |= {"streaming": "false"} if "streaming" in known else {}
        alike = sum(e["task"] == name for e in entries)
        label = f"{task.name.replace('_', '-')}{f'-{alike + 1}' if alike else ''}"
        entry = {"kind": "task", "name": label, "task": name, "options": options}
        entries.append(entry | {"stages": ["val", "test"]})
    made = replace(run, data=replace(run.data, loaders=(*run.data.loaders, *entries)))
    names = frozenset(e["name"] for e in entries)
    for loader in Loaders(made).others if entries else ():
        task = loader.manager.task
        if loader.name not in names:
            continue
        if not is_text(task):
            message = f"`--zero-shot`: task `{task.name}` is not of text"
            raise Failed(Diagnostic("X602", message))
        if task.ends != run.task.ends:
            said, own = (getattr(t, "sequences", "") for t in (task, run.task))
            message = f"`--zero-shot`: `{task.name}` has sequences that are {said}, and the model "
            hint = f"write {task.name},sequences={own.partition(',')[0]}"
            raise Failed(Diagnostic("X602", f"{message}was trained on {own}", hint))
    return made, names
