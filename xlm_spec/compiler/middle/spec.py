"""A valid spec: its choices, each with its component."""

from dataclasses import dataclass, field

from xlm_spec.compiler.axes import Axis
from xlm_spec.compiler.components import Component
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.diagnostics import Diagnostic


@dataclass(frozen=True)
class Choice:
    """One value of an axis, with the parameters that the spec gives it."""

    axis: Axis
    component: Component
    path: Path_  # of the value in the spec
    given: dict[str, object] = field(default_factory=dict)
    weight: "Choice | None" = None  # of a loss; None if it is the number `factor`
    factor: float | None = None  # of a loss
    of: str = ""  # of a loss: the name of its target, if the spec gives it
    term: str = ""  # of a loss: the name of its term, "" for that of its component

    @property
    def value(self) -> str:
        return self.component.value

    @property
    def name(self) -> str:
        """Of a loss: the name of its term, and of its section in the config."""
        return self.term or self.value


@dataclass(frozen=True)
class Sampling:
    """A sampler, and what the spec sets in it. The first wrap is the outermost."""

    name: str
    loop: Choice
    rules: dict[str, Choice]  # by the key of their axis
    wraps: tuple[Choice, ...] = ()
    correctors: tuple[Choice, ...] = ()

    @property
    def loops(self) -> list[Choice]:
        """The loops around the sampler."""
        return [c for c in self.wraps if not c.component.wrapper]

    @property
    def models(self) -> list[Choice]:
        """The wraps of its model."""
        return [c for c in self.wraps if c.component.wrapper]


@dataclass(frozen=True)
class Spec:
    """A method as written, without defaults."""

    document: Document
    name: str
    title: str
    paper: str
    process: Choice
    schedule: Choice | None
    clocks: tuple[Choice, ...]  # further schedules
    time: Choice | None
    count: Choice | None
    roll_ins: tuple[Choice, ...]
    targets: tuple[Choice, ...]
    losses: tuple[Choice, ...]
    samplers: tuple[Sampling, ...]
    backbone: Choice
    data: dict[str, object]
    train: dict[str, object]
    types: tuple[Component, ...] = ()  # that custom files share, by file
    heads: tuple[Choice, ...] = ()  # custom ones, and those with parameters

    def diagnostic(
        self, code: str, choice: Choice, message: str, hint: str = "", severity: str = "error"
    ) -> Diagnostic:
        """A diagnostic at the word that made the choice."""
        doc, path = self.document, choice.path
        path = (*path, "kind") if (*path, "kind") in doc.spans else path
        names = (choice.value, choice.component.file)
        listed = choice.axis.many and path[-1] in names
        listed = listed and isinstance(doc.at(path[:-1]), dict)
        return doc.diagnostic(code, message, path, hint, key=listed, severity=severity)
