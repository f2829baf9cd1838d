"""The axes of the language: where each stands in a spec, and where its components live."""

import ast
import re
from dataclasses import dataclass
from functools import cache

from xlm_spec.compiler.components import (
    HERE,
    Component,
    Parameter,
    component,
    definition,
    read,
    values,
)

TASKS = HERE / "runtime" / "tasks"


@dataclass(frozen=True)
class Axis:
    """One choice that a spec makes. `default` is taken where a component reads `wire`."""

    path: str  # in the spec
    folder: str  # of its components
    meaning: str
    wire: str = ""  # under which other components read what it makes
    default: str = ""

    @property
    def key(self) -> str:
        return self.path.rpartition(".")[2]


PROCESS = Axis("noise.process", "process", "how clean text x_0 becomes x_t")
SCHEDULE = Axis(
    "noise.schedule", "schedule", "alpha(t), the share that survives", "schedule", "linear"
)
TIME = Axis("noise.time", "time", "how the times of training are drawn", "t", "stratified")
COUNT = Axis(
    "noise.count", "count", "how many free tokens are hidden, and which", "chosen", "bernoulli"
)
TARGET = Axis("target", "target", "what the network is asked for, and where")
LOSS = Axis("loss", "loss", "the terms of the objective, each with a weight")
WEIGHT = Axis("loss.weight", "weight", "what a term's nats are multiplied by", default="one")
SAMPLER = Axis("sampler", "sampler", "how text is drawn from the network")
SITES = Axis("sampler.sites", "sites", "which sites go first", "sites")
TOKENS = Axis("sampler.tokens", "tokens", "how a token is drawn", "draw", "temperature")
REMASKING = Axis(
    "sampler.remasking", "remasking", "which written tokens are masked again", "remasking", "cap"
)
GAPS = Axis("sampler.gaps", "tokens", "how a gap is drawn", "gaps", "temperature")
STOP = Axis("sampler.stop", "stop", "when a text is complete", "stop", "threshold")
OUTER = Axis("sampler.outer", "outer", "a loop around the sampler's own")
BACKBONE = Axis("backbone", "backbone", "the network")

NOISE = (PROCESS, SCHEDULE, TIME, COUNT)
RULES = (SITES, GAPS, TOKENS, STOP, REMASKING)  # objects that a sampler is given
AXES = (*NOISE, TARGET, LOSS, WEIGHT, SAMPLER, *RULES, OUTER, BACKBONE)

Cards = dict[str, Component]


def cards(axis: Axis) -> Cards:
    """The components of an axis by value."""
    return {v: component(axis.folder, v) for v in values(axis.folder)}


def settings() -> Component:
    """The runtime's own settings (`data`, `train`), read like a component."""
    source = HERE / "runtime" / "settings.py"
    return read(source.read_text(encoding="utf-8"), "runtime", "settings")


@cache
def tasks() -> dict[str, tuple[Parameter, ...]]:
    """The tasks that ship, from their files, and what a spec may set of each under `data`.

    A task's options are the class `Options` of its file, or of one that this file imports from.
    """
    found = {p.stem: p.read_text(encoding="utf-8") for p in sorted(TASKS.glob("*.py"))}
    of_file = {stem: options(source) for stem, source in found.items()}
    out = {}
    for name, source in found.items():
        if re.search(r"^TASK = ", source, re.M):
            parts = [name, *re.findall(r"^from xlm_spec\.runtime\.tasks\.(\w+)", source, re.M)]
            out[name] = next((of_file[p] for p in parts if of_file[p]), ())
    return out


def options(source: str) -> tuple[Parameter, ...]:
    """The fields of the class `Options` in the source of a task."""
    classes = (n for n in ast.parse(source).body if isinstance(n, ast.ClassDef))
    node = next((n for n in classes if n.name == "Options"), None)
    if node is None:
        return ()
    text = definition(node, node.name, source.splitlines()).text
    return read(text, "tasks", node.name).fields[node.name]
