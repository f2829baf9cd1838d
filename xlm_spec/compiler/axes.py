"""The axes of the language: the path of each in a spec, and the folder of its components."""

import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from xlm_spec.compiler.components import Component, component, values

OF = "of"  # the key of a loss that names its target

Path = tuple[str | int, ...]  # the path of a value in a spec
Components = dict[str, Component]


@dataclass(frozen=True)
class Axis:
    """One choice of a spec. `default` is used if a component requires `wire`.

    `place` is its path in a spec: `#` is the number of an item, `*` a name, `(…)` is optional.
    """

    place: str
    folder: str  # of its components
    meaning: str
    wire: str = ""  # the name by which other components require its value
    default: str = ""
    synonyms: tuple[str, ...] = ()  # keys of other code with this meaning

    @cached_property
    def path(self) -> str:
        """Its name: its place without numbers and names."""
        return re.sub(r"[()]|\.[#*]", "", self.place)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("."))

    @property
    def many(self) -> bool:
        """Does a spec list several values, each by its name?"""
        return self.place.endswith("(.#)")

    @property
    def key(self) -> str:
        return self.parts[-1]

    @property
    def config(self) -> str:
        """The path of its parameters in a package's Config: the same as in the spec."""
        return f"config.{self.path}"


PROCESS = Axis(
    "noise.process",
    "process",
    "how the clean sequence x_0 becomes the corrupted sequence x_t",
    synonyms=("kernel", "type", "kind", "transition", "forward", "corruption", "graph", "state"),
)
SCHEDULE = Axis(
    "noise.schedule",
    "schedule",
    "alpha(t), the probability that a token is not corrupted at time t",
    wire="schedule",
    default="linear",
    synonyms=("noise_schedule", "alpha_schedule", "alpha_scheduler", "kappa", "sigma", "alpha"),
)
TIME = Axis(
    "noise.time",
    "time",
    "how training times are drawn",
    wire="t",
    default="stratified",
    synonyms=("time_sampling", "time_sampler", "timesteps", "timestep_sampling", "t", "t_sampling"),
)
COUNT = Axis(
    "noise.count",
    "count",
    "how many free tokens are corrupted, and which",
    wire="corrupted",
    default="bernoulli",
    synonyms=("num_masked", "n_masked", "masking_count", "mask_count", "drop_count", "n_drop"),
)
ROLL_IN = Axis(
    "noise.roll_in(.#)",
    "roll_in",
    "further inputs of the model in training, made from its output on the input before",
    synonyms=("roll_ins", "rollin", "unroll", "unrolled", "views"),
)
TARGET = Axis(
    "target(.#)",
    "target",
    "what the model predicts, and at which positions",
    synonyms=("targets", "parameterization", "parameterisation", "prediction", "predict", "label"),
)
LOSS = Axis(
    "loss(.#)",
    "loss",
    "the terms of the objective, each with a weight",
    synonyms=("losses", "objective", "objectives", "criterion", "loss_fn", "loss_type"),
)
WEIGHT = Axis(
    "loss(.#).*.weight",
    "weight",
    "the weight of a term of the objective, or a number of at least 0",
    default="one",
    synonyms=(
        *("weighting", "weights", "loss_weight", "loss_weighting", "reweighting", "w"),
        *("coef", "coefficient", "factor", "lambda", "multiplier", "scale"),
    ),
)
SAMPLER = Axis(
    "sampler(.*)",
    "sampler",
    "how sequences are drawn with the model",
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
ORDER = Axis(
    "sampler(.*).order",
    "order",
    "the unmasking order",
    wire="order",
    synonyms=("sites", "positions", "position", "site_rule", "unmasking", "alg", "score"),
)
TOKENS = Axis(
    "sampler(.*).tokens",
    "tokens",
    "how a token is drawn from its distribution",
    wire="draw",
    default="temperature",
    synonyms=("token", "token_rule", "token_sampling", "sampling_method", "filter"),
)
REMASKING = Axis(
    "sampler(.*).remasking",
    "remasking",
    "which unmasked tokens are masked again",
    wire="remasking",
    default="cap",
    synonyms=("remask", "remdm", "sigma"),
)
GAPS = Axis(
    "sampler(.*).gaps",
    "tokens",
    "how a gap is drawn from its distribution",
    wire="gaps",
    default="temperature",
    synonyms=("gap", "slots", "slot", "insert_positions"),
)
STOP = Axis(
    "sampler(.*).stop",
    "stop",
    "when a sequence is complete",
    wire="stop",
    default="threshold",
    synonyms=("stopping", "stop_rule", "termination", "done"),
)
WRAP = Axis(
    "sampler(.*).wrap(.#)",
    "wrap",
    "loops around the sampler and wraps of its model, the outermost first",
    synonyms=("outer", "wraps", "wrapper", "around", "semi_autoregressive", "semi_ar"),
)
CORRECTOR = Axis(
    "sampler(.*).corrector(.#)",
    "corrector",
    "moves after each step, which keep the distribution of the state",
    synonyms=("correctors", "corrector_steps", "predictor_corrector"),
)
BACKBONE = Axis(
    "backbone",
    "backbone",
    "the network that computes the hidden states",
    synonyms=("model", "network", "net", "architecture", "arch", "denoiser", "transformer"),
)

HEAD = Axis(
    "head(.#)",
    "head",
    "the outputs of the model, computed from hidden states; listed for a custom file or parameters",
    synonyms=("output_head", "output_heads", "prediction_head", "prediction_heads", "readout"),
)

CLOCK = "^(?!{})[a-z][a-z0-9]*(_[a-z0-9]+)*_schedule$".format(  # keys of further schedules
    "|".join(f"{word}$" for word in SCHEDULE.synonyms if word.endswith("_schedule"))
)
NOISE = (PROCESS, SCHEDULE, TIME, COUNT)
RULES = (ORDER, GAPS, TOKENS, STOP, REMASKING)  # objects that a sampler calls
AROUND = (WRAP, CORRECTOR)  # lists in a sampler, which calls none of them
INSIDE = (*RULES, *AROUND)  # axes inside one sampler
AXES = (*NOISE, ROLL_IN, TARGET, LOSS, WEIGHT, SAMPLER, *INSIDE, BACKBONE, HEAD)


def within(parts: tuple[str, ...]) -> list[Axis]:
    """The axes whose keys are in a mapping: in `noise`, in a loss, in a sampler."""
    return [a for a in AXES if a.parts[:-1] == parts]


def is_clock(key: Any) -> bool:
    """Is this the key of a further schedule of the noise, such as `drop_schedule`?"""
    return isinstance(key, str) and re.search(CLOCK, key) is not None


@cache
def clock(key: str) -> Axis:
    """The axis of a further schedule; components require it by its key."""
    meaning = f"{SCHEDULE.meaning}, of another kind of corruption"
    return replace(SCHEDULE, place=f"noise.{key}", meaning=meaning, wire=key, synonyms=())


def named(samplers: Any) -> bool:
    """Is this a mapping from names to samplers, not one sampler?"""
    return isinstance(samplers, dict) and "kind" not in samplers


def at(path: Path, values: dict) -> Axis | None:
    """The axis of the value at a path of a spec, alone or as `kind`."""
    bare = path[:-1] if path[-1:] == ("kind",) else path
    if len(bare) == 2 and bare[0] == SCHEDULE.parts[0] and is_clock(bare[1]):
        return clock(str(bare[1]))
    known = shapes(named(values.get(SAMPLER.key)))
    return next((a for shape, a in known if len(shape) == len(bare) and fits(shape, bare)), None)


@cache
def shapes(named: bool) -> list[tuple[list[str], Axis]]:
    """The paths of each axis, with and without the optional part."""
    out = []
    for axis in AXES:
        places = [axis.place]
        for part in ("(.*)", "(.#)"):
            bare = part[1:-1] if named or part == "(.#)" else ""
            places = [p.replace(part, with_) for p in places for with_ in dict.fromkeys(("", bare))]
        out += [(p.split("."), axis) for p in places]
    return out


def fits(shape: list[str], path: Path) -> bool:
    """Does a path have this shape, with the same words, numbers and names?"""
    return all(
        isinstance(p, int if s == "#" else str) and s in ("#", "*", p)
        for s, p in zip(shape, path, strict=True)
    )


def components_of(axis: Axis) -> Components:
    """The components of an axis by value."""
    return {v: component(axis.folder, v) for v in values(axis.folder)}
