"""The starter spec: masked diffusion, with the values of every axis in comments."""

import textwrap
from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, components_of
from xlm_spec.compiler.runtime_settings import default_task, tasks

WIDTH = 100


def starter(name: str) -> str:
    """The text of a spec that builds without changes."""
    return "\n".join(lines(name)) + "\n"


def lines(name: str) -> Iterator[str]:
    yield from ("xlm_spec: 1", f"name: {name}", "title: My method  # a short description")
    yield "# paper: arXiv:...      # reference"
    yield from ("", "# t = 0 is data, t = 1 is noise", "noise:")
    for axis, value in zip(axes.NOISE, ("mask", "linear", "stratified", "bernoulli"), strict=True):
        yield from choice(axis, f"{axis.key}: {value}", 2)
    yield from choice(axes.ROLL_IN, "", 2)
    yield ""
    yield from choice(axes.TARGET, "target: masked_tokens", 0)
    yield ""
    yield from choice(axes.LOSS, "loss:", 0)
    yield from choice(axes.WEIGHT, "- cross_entropy: {weight: elbo}", 2)
    yield ""
    yield from choice(axes.SAMPLER, "sampler:", 0)
    yield from (
        "  kind: ancestral",
        "  steps: 128                # each value has its own parameters",
    )
    yield "  # rules, for samplers that require them: see `xlm-spec axes sampler VALUE`"
    for rule in (*axes.RULES, *axes.AROUND):
        shown = f"{rule.key}: temperature" if rule is axes.TOKENS else ""
        yield from choice(rule, shown, 2)
    yield ""
    yield from choice(
        axes.BACKBONE,
        "backbone: {kind: rotary, layers: 12, width: 768, heads: 12, dropout: 0.1}",
        0,
    )
    yield ""
    yield from choice(axes.HEAD, "", 0)
    yield ""
    yield from comment(f"the training task: {', '.join(tasks())}, or a file of your own", 0)
    yield f"data: {{task: {default_task()}}}"
    yield "train: {batch: 64, steps: 80000, lr: 1e-4, ema: 0.9999}"


def choice(axis: Axis, line: str, indent: int) -> Iterator[str]:
    """A comment with the values of an axis, then the line that chooses one, if any."""
    values = ", ".join(components_of(axis))
    meaning = axis.meaning if line else f"{axis.key}: {axis.meaning}"
    yield from comment(f"{meaning}: {values}", indent)
    if line:
        yield " " * indent + line


def comment(text: str, indent: int) -> list[str]:
    before = " " * indent + "# "
    return textwrap.wrap(
        text, WIDTH, initial_indent=before, subsequent_indent=before, break_on_hyphens=False
    )
