"""Which numbers a run has: --set over --config over --size over the spec over the task's defaults.

Every number has a dotted name. `backbone.*`, `noise.*`, `sampler.*` live in the package's Config,
`data.*` and `train.*` in the runtime's settings.
"""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import yaml

from xlm_spec import ranges
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.ranges import Range
from xlm_spec.runtime import tasks
from xlm_spec.runtime.settings import Data, Train
from xlm_spec.runtime.tasks.task import Task

Number = float | int | bool | str
KINDS = (
    *("kind", "process", "schedule", "time", "count", "target", "loss", "weight", "sampler"),
    *("sites", "tokens", "remasking", "outer"),
)


HEAD = ("package", "task", "size", "init", "vocab")  # what a config.yaml tells before its numbers
CHOICES = {  # of settings that are one of a few words
    section: {
        k: typing.get_args(hint)
        for k, hint in typing.get_type_hints(kind).items()
        if typing.get_origin(hint) is typing.Literal
    }
    for section, kind in {"data": Data, "train": Train}.items()
}


@dataclass(frozen=True)
class Run:
    """A package, a task, and every number; `origin` tells where each that was chosen came from."""

    package: typing.Any  # the generated package: Config, Vocab, Model, objective, SAMPLERS, NEEDS
    task: Task
    size: str
    config: typing.Any  # the package's Config
    data: Data
    train: Train
    init: str = ""  # the checkpoint that it starts from
    origin: dict[str, str] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict) -> "Run":
        return self  # it never changes

    @property
    def name(self) -> str:
        return self.package.__name__

    @property
    def numbers(self) -> dict[str, Number]:
        """Every number by its dotted name."""
        own = {"data": self.data, "train": self.train}
        return flat(self.config) | flat(own["data"], "data.") | flat(own["train"], "train.")

    def replace(self, origin: str, **train: Number) -> "Run":
        """With other numbers of `train`."""
        told = {f"train.{k}": origin for k in train}
        new = dataclasses.replace(self.train, **train)  # type: ignore[arg-type]
        return dataclasses.replace(self, train=new, origin=self.origin | told)

    def as_dict(self) -> dict:
        """What config.yaml holds: `train --config` of it repeats the run."""
        head = {"package": self.name, "task": self.task.name, "size": self.size}
        head |= {"init": self.init} if self.init else {}
        vocab = dataclasses.asdict(self.config.vocab)
        return head | {"vocab": vocab} | nested(self.numbers)


def choose(
    package,
    data: Mapping[str, Number],
    train: Mapping[str, Number],
    task: str | None = None,
    size: str | None = None,
    config: Mapping | None = None,
    sets: typing.Sequence[str] = (),
    init: Path | None = None,
) -> Run:
    """Puts the layers together. Raises Failed (X601-X604) before anything heavy is loaded."""
    config = dict(config or {})
    given = dict(assignment(s) for s in sets)
    asked = given.get("data.task") or task or config.get("task") or data.get("task") or Data.task
    found = tasks.find(str(asked))
    size = str(size or config.get("size") or "paper")
    if size not in found.sizes:
        told = f"task `{found.name}` has no size `{size}`"
        raise Failed(Diagnostic("X605", told, alternatives(size, found.sizes)))
    vocab = package.Vocab(**found.words.vocabulary(package.NEEDS))
    base = package.Config(vocab=vocab)
    known = flat(base) | flat(Data(), "data.") | flat(Train(), "train.")
    within = intervals(base) | intervals(Data(), "data.") | intervals(Train(), "train.")
    spec = {f"data.{k}": v for k, v in data.items()} | {f"train.{k}": v for k, v in train.items()}
    layers: list[tuple[str, Mapping[str, Number]]] = [
        ("task", found.defaults),
        ("spec", spec),
        (f"size {size}", found.sizes[size]),
        ("--config", of_file(config)),
        ("--set", given),
    ]
    values: dict[str, Number] = {}
    origin: dict[str, str] = {}
    for name, layer in layers:
        for key, value in layer.items():
            if key in known or name in ("--config", "--set"):
                values[key] = converted(key, value, known, within)
                origin[key] = name
    values["data.task"] = found.name
    return Run(
        package=package,
        task=found,
        size=size,
        config=overridden(base, values),
        data=overridden(Data(), values, "data."),
        train=overridden(Train(), values, "train."),
        init=str(init.resolve() if init else config.get("init", "")),
        origin=origin,
    )


def of_file(config: Mapping) -> dict[str, Number]:
    """The numbers of a config.yaml."""
    return flat({k: v for k, v in config.items() if k not in HEAD})


def read_config(file: Path) -> dict:
    """A config.yaml. Raises Failed (X606)."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        flat(found)
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        told = getattr(e, "strerror", None) or "not YAML"
        raise Failed(
            Diagnostic("X606", f"cannot read the config: {told}", file=str(file))
        ) from None
    if not isinstance(found, dict):
        raise Failed(Diagnostic("X606", "the config is not a mapping", file=str(file)))
    return found


def assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        told = f"`--set {text}` sets nothing"
        raise Failed(Diagnostic("X602", told, "write --set key=value, as in train.batch=64"))
    return key.strip(), value.strip()


def flat(node: object, prefix: str = "") -> dict[str, Number]:
    """Dotted name -> number, of nested dataclasses or mappings; the vocabulary is left out."""
    if dataclasses.is_dataclass(node):
        items = {f.name: getattr(node, f.name) for f in dataclasses.fields(node)}
    elif isinstance(node, Mapping):
        items = dict(node)
    else:
        return {prefix[:-1]: typing.cast(Number, node)}
    items.pop("vocab", None)
    return {k: v for name, item in items.items() for k, v in flat(item, f"{prefix}{name}.").items()}


def nested(numbers: Mapping[str, Number]) -> dict:
    out: dict = {}
    for key, value in numbers.items():
        *path, last = key.split(".")
        node = out
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return out


def intervals(node: object, prefix: str = "") -> dict[str, Range]:
    """Dotted name -> range, of nested dataclasses."""
    if not dataclasses.is_dataclass(node) or isinstance(node, type) or prefix == "vocab.":
        return {}
    own = {f"{prefix}{k}": r for k, r in ranges.of_fields(type(node)).items()}
    for f in dataclasses.fields(node):
        own |= intervals(getattr(node, f.name), f"{prefix}{f.name}.")
    return own


def converted(
    key: str, value: object, known: Mapping[str, Number], within: Mapping[str, Range]
) -> Number:
    """A value in the type of its number. Raises Failed: X601 unknown, X602 bad, X603 a kind."""
    if key not in known:
        last = key.rpartition(".")[2]
        if last in KINDS and (last == "kind" or any(k.startswith(f"{key}.") for k in known)):
            told = f"`{key}` is a kind, which no run can change"
            raise Failed(Diagnostic("X603", told, "change the spec and build it again"))
        raise Failed(Diagnostic("X601", f"no number is called `{key}`", alternatives(key, known)))
    wanted = type(known[key])
    try:
        number = parsed(value, wanted)
    except (ValueError, TypeError, OverflowError):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
        told = f"`{key}` is {words[wanted]}, not `{value}`"
        raise Failed(Diagnostic("X602", told, f"now {known[key]}")) from None
    section, _, name = key.partition(".")
    allowed = CHOICES.get(section, {}).get(name, (number,))
    if number not in allowed:
        told = f"`{key}` is not `{number}`"
        raise Failed(Diagnostic("X602", told, alternatives(number, allowed)))
    if key in within and number not in within[key]:
        told = f"`{key}` = {number} lies outside {within[key]}"
        raise Failed(Diagnostic("X602", told, f"now {known[key]}"))
    return number


def parsed(value: object, wanted: type) -> Number:
    if wanted is bool:
        words = {"true": True, "false": False}
        if str(value).lower() not in words:
            raise ValueError
        return words[str(value).lower()]
    if isinstance(value, bool):
        raise ValueError
    if wanted is int and isinstance(value, float) and value != int(value):
        raise ValueError
    return wanted(value)  # type: ignore[arg-type]


def overridden(node, values: Mapping[str, Number], prefix: str = ""):
    """A dataclass with other numbers, at any depth."""
    new = {}
    for f in dataclasses.fields(node):
        item = getattr(node, f.name)
        if f.name == "vocab":
            continue
        if dataclasses.is_dataclass(item):
            new[f.name] = overridden(item, values, f"{prefix}{f.name}.")
        elif f"{prefix}{f.name}" in values:
            new[f.name] = values[f"{prefix}{f.name}"]
    return dataclasses.replace(node, **new)


def model_of(run: Run, room: int):
    """The network, tried on a row of `room` sites. Raises Failed (X604) where it does not work."""
    numbers = {k: v for k, v in run.numbers.items() if k.startswith("backbone.")}
    try:
        model = run.package.Model(run.config)
        row = torch.zeros(1, room, dtype=torch.long)
        with torch.no_grad():
            model(row, row == 0, torch.ones(1, 1))
        return model
    except (ValueError, RuntimeError, IndexError, AssertionError) as e:  # as torch has it
        listed = ", ".join(f"{k}={v}" for k, v in numbers.items())
        told = f"no network can be built from these numbers: {e}"
        raise Failed(Diagnostic("X604", told, listed)) from e
