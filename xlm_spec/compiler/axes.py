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
    synonyms: tuple[str, ...] = ()  # what other code calls the key

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("."))

    @property
    def key(self) -> str:
        return self.parts[-1]


PROCESS = Axis(
    "noise.process",
    "process",
    "how clean text x_0 becomes x_t",
    synonyms=("kernel", "type", "kind", "transition", "forward", "corruption", "graph", "state"),
)
SCHEDULE = Axis(
    "noise.schedule",
    "schedule",
    "alpha(t), the share that survives",
    wire="schedule",
    default="linear",
    synonyms=("noise_schedule", "alpha_schedule", "alpha_scheduler", "kappa", "sigma", "alpha"),
)
TIME = Axis(
    "noise.time",
    "time",
    "how the times of training are drawn",
    wire="t",
    default="stratified",
    synonyms=("time_sampling", "time_sampler", "timesteps", "timestep_sampling", "t", "t_sampling"),
)
COUNT = Axis(
    "noise.count",
    "count",
    "how many free tokens are hidden, and which",
    wire="chosen",
    default="bernoulli",
    synonyms=("num_masked", "n_masked", "masking_count", "mask_count", "drop_count", "n_drop"),
)
TARGET = Axis(
    "target",
    "target",
    "what the network is asked for, and where",
    synonyms=("targets", "parameterization", "parameterisation", "prediction", "predict", "label"),
)
LOSS = Axis(
    "loss",
    "loss",
    "the terms of the objective, each with a weight",
    synonyms=("losses", "objective", "objectives", "criterion", "loss_fn", "loss_type"),
)
WEIGHT = Axis(
    "loss.weight",
    "weight",
    "what a term's nats are multiplied by",
    default="one",
    synonyms=("weighting", "weights", "loss_weight", "loss_weighting", "reweighting", "w"),
)
SAMPLER = Axis(
    "sampler",
    "sampler",
    "how text is drawn from the network",
    synonyms=(
        "samplers",
        "sampling",
        "predictor",
        "decoding",
        "decoder",
        "generation",
        "inference",
    ),
)
SITES = Axis(
    "sampler.sites",
    "sites",
    "which sites go first",
    wire="sites",
    synonyms=("order", "positions", "position", "site_rule", "unmasking", "alg", "score"),
)
TOKENS = Axis(
    "sampler.tokens",
    "tokens",
    "how a token is drawn",
    wire="draw",
    default="temperature",
    synonyms=("token", "token_rule", "token_sampling", "sampling_method", "filter"),
)
REMASKING = Axis(
    "sampler.remasking",
    "remasking",
    "which written tokens are masked again",
    wire="remasking",
    default="cap",
    synonyms=("remask", "corrector", "remdm", "sigma"),
)
GAPS = Axis(
    "sampler.gaps",
    "tokens",
    "how a gap is drawn",
    wire="gaps",
    default="temperature",
    synonyms=("gap", "slots", "slot", "insert_positions"),
)
STOP = Axis(
    "sampler.stop",
    "stop",
    "when a text is complete",
    wire="stop",
    default="threshold",
    synonyms=("stopping", "stop_rule", "termination", "done"),
)
OUTER = Axis(
    "sampler.outer",
    "outer",
    "a loop around the sampler's own",
    synonyms=("wrapper", "around", "semi_autoregressive", "semi_ar"),
)
BACKBONE = Axis(
    "backbone",
    "backbone",
    "the network",
    synonyms=("model", "network", "net", "architecture", "arch", "denoiser", "transformer"),
)

NOISE = (PROCESS, SCHEDULE, TIME, COUNT)
RULES = (SITES, GAPS, TOKENS, STOP, REMASKING)  # objects that a sampler is given
AXES = (*NOISE, TARGET, LOSS, WEIGHT, SAMPLER, *RULES, OUTER, BACKBONE)

OTHERS = {  # keys of a spec that are neither an axis nor settings -> what other code calls them
    "xlm_spec": ("version", "spec_version", "schema_version", "xlmspec", "spec"),
    "name": ("model_name", "model_type", "package", "job_name", "experiment", "project", "id"),
    "title": ("description", "full_name", "summary"),
    "paper": ("url", "arxiv", "reference", "citation", "link", "source"),
    "noise": ("corruption", "diffusion", "forward_process", "noising", "interpolant"),
}
DECIDED = {  # what other code lets one say, and what decides it here
    "vocab_size": "the task's words decide it",
    "causal": "the target decides it: `next_token` is read causally",
    "attention": "the target decides it: `next_token` is read causally",
    "time_conditioning": "the backbone decides it: `dit` and `rotary_timed` are told the time",
    "epochs": "training is counted in `steps`",
    "optimizer": "it is AdamW",
    "betas": "the first is 0.9; the second is `beta2`",
    "scheduler": "the learning rate falls along half a cosine, to the share `lr_end`",
    "min_lr": "write `lr_end`, the share of `lr` that is left at the end",
    "devices": "a run is told: `--devices N`",
}
KIND = ("type", "name", "class", "cls", "_target_", "variant")

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
