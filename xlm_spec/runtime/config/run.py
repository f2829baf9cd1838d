"""A run: a package, a task and all settings."""

import dataclasses
import typing
from dataclasses import dataclass, field

from xlm_spec.runtime.config.overrides import Setting, flat, nested
from xlm_spec.runtime.config.settings import Data, Train
from xlm_spec.runtime.tasks.task import Task


@dataclass(frozen=True)
class Run:
    """A package, a task and all settings; `origin` names the layer of each that is no default."""

    package: typing.Any  # the generated package: Config, Vocab, Model, objective, SAMPLERS, NEEDS
    task: Task
    size: str
    config: typing.Any  # the package's Config
    data: Data
    train: Train
    init: str = ""  # checkpoint of the initial weights
    origin: dict[str, str] = field(default_factory=dict)
    injected: dict[str, str] = field(default_factory=dict)  # code of others -> its version
    teacher_file: str = ""  # run folder or checkpoint
    teacher: typing.Any = None  # the model, once it is loaded (runtime/weights/teacher.py)

    def __deepcopy__(self, memo: dict) -> "Run":
        return self  # it is immutable

    @property
    def name(self) -> str:
        return self.package.__name__

    @property
    def settings(self) -> dict[str, Setting]:
        """Every setting by its dotted name."""
        data = flat(self.data, "data.") | flat(self.task.options, "data.")
        return flat(self.config) | data | flat(self.train, "train.")

    def replace(self, origin: str, **train: Setting) -> "Run":
        """The run with other settings `train.*`."""
        changed = {f"train.{k}": origin for k in train}
        new = dataclasses.replace(self.train, **train)  # type: ignore[arg-type]
        return dataclasses.replace(self, train=new, origin=self.origin | changed)

    def as_dict(self) -> dict:
        """The content of config.yaml, with which `train --config` repeats the run."""
        head: dict = {"package": self.name, "task": self.data.task, "size": self.size}
        head |= {"init": self.init} if self.init else {}
        head |= {"teacher": self.teacher_file} if self.teacher_file else {}
        head |= {"injected": dict(self.injected)} if self.injected else {}
        vocab = dataclasses.asdict(self.config.vocab)
        return head | {"vocab": vocab} | nested(self.settings)
