"""Which numbers a run has: --set over --config over --size over the spec over the task's defaults.

Every number has a dotted name. `backbone.*`, `noise.*`, `sampler.*` live in the package's Config,
`train.*` in the runtime's settings, `data.*` there and in the options of the task.
"""

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import yaml

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime import tasks
from xlm_spec.runtime.dotted import Known, Number, flat, nested, overridden
from xlm_spec.runtime.settings import Data, Train
from xlm_spec.runtime.tasks.task import Task
from xlm_spec.runtime.words import Tokenizer

HEAD = ("package", "task", "size", "init", "vocab")  # what a config.yaml tells before its numbers
EXACTING = ("--config", "--set")  # layers in which a name that is not there is an error
Layer = tuple[str, Mapping[str, Number]]


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
        data = flat(self.data, "data.") | flat(self.task.options, "data.")
        return flat(self.config) | data | flat(self.train, "train.")

    def replace(self, origin: str, **train: Number) -> "Run":
        """With other numbers of `train`."""
        told = {f"train.{k}": origin for k in train}
        new = dataclasses.replace(self.train, **train)  # type: ignore[arg-type]
        return dataclasses.replace(self, train=new, origin=self.origin | told)

    def as_dict(self) -> dict:
        """What config.yaml holds: `train --config` of it repeats the run."""
        head = {"package": self.name, "task": self.data.task, "size": self.size}
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
    words: Tokenizer | None = None,
) -> Run:
    """Puts the layers together; `words`: a checkpoint's, for tasks that read theirs off their data.

    Raises Failed (X501-X508, X601-X605) before anything heavy is loaded.
    """
    config = dict(config or {})
    given = dict(assignment(s) for s in sets)
    asked = given.get("data.task") or task or config.get("task") or data.get("task") or Data.task
    found = tasks.find(str(asked))
    known = names(package, found)
    spec = {f"data.{k}": v for k, v in data.items()} | {f"train.{k}": v for k, v in train.items()}
    above: list[Layer] = [("--config", of_file(config)), ("--set", given)]
    below: list[Layer] = [("task", found.defaults), ("spec", spec)]
    options, _ = settled([*below, *above], known)
    found = found.with_options(overridden(found.options, options, "data."), words)
    size = str(size or config.get("size") or "paper")
    values, origin = settled([*below, sized(found, size), *above], known)
    needs = tuple(n for n in package.NEEDS if n != "eos" or found.ends)  # running text has no end
    vocab = package.Vocab(**found.words.vocabulary(needs))
    return Run(
        package=package,
        task=found,
        size=size,
        config=overridden(package.Config(vocab=vocab), values),
        data=overridden(Data(), values | {"data.task": tasks.recorded(str(asked))}, "data."),
        train=overridden(Train(), values, "train."),
        init=str(init.resolve() if init else config.get("init", "")),
        origin=origin,
    )


def names(package, task: Task) -> Known:
    """Every number of a package, a task and the settings, as it is where nobody chooses."""
    config = package.Config(vocab=package.Vocab(size=0))  # numbers do not depend on the words
    sections = ("", config), ("data.", Data()), ("data.", task.options), ("train.", Train())
    return Known(*sections)


def sized(task: Task, size: str) -> Layer:
    """What a size gives. Raises Failed (X605)."""
    if size not in task.sizes:
        told = f"task `{task.name}` has no size `{size}`"
        raise Failed(Diagnostic("X605", told, alternatives(size, task.sizes)))
    return f"size {size}", task.sizes[size]


def settled(layers: Iterable[Layer], known: Known) -> tuple[dict[str, Number], dict[str, str]]:
    """Each number that a layer gives, as the last one has it, and that layer's name."""
    values: dict[str, Number] = {}
    origin: dict[str, str] = {}
    for name, layer in layers:
        for key, value in layer.items():
            if key in known.now or name in EXACTING:
                values[key] = known.converted(key, value)
                origin[key] = name
    return values, origin


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
