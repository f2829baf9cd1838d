"""A spec whose form is right: the choices it makes, each with its component."""

from dataclasses import dataclass, field

from xlm_spec.compiler.axes import LOSS, TARGET, Axis
from xlm_spec.compiler.components import Component
from xlm_spec.compiler.form.load import Document, Path_
from xlm_spec.diagnostics import Diagnostic


@dataclass(frozen=True)
class Choice:
    """One value of an axis, with the parameters that the spec gives it."""

    axis: Axis
    component: Component
    path: Path_  # where it stands in the spec
    given: dict[str, object] = field(default_factory=dict)
    weight: "Choice | None" = None  # of a loss

    @property
    def value(self) -> str:
        return self.component.value


@dataclass(frozen=True)
class Sampling:
    """A sampler and the rules that it is given."""

    name: str
    loop: Choice
    rules: dict[str, Choice]  # by the key of their axis
    outer: Choice | None = None


@dataclass(frozen=True)
class Spec:
    """A method, as its author wrote it; nothing is filled in yet."""

    document: Document
    name: str
    title: str
    paper: str
    process: Choice
    schedule: Choice | None
    time: Choice | None
    count: Choice | None
    targets: tuple[Choice, ...]
    losses: tuple[Choice, ...]
    samplers: tuple[Sampling, ...]
    backbone: Choice
    data: dict[str, object]
    train: dict[str, object]

    def diagnostic(
        self, code: str, choice: Choice, message: str, hint: str = "", severity: str = "error"
    ) -> Diagnostic:
        """At the word that made the choice."""
        doc, path = self.document, choice.path
        path = (*path, "kind") if (*path, "kind") in doc.spans else path
        listed = choice.axis in (TARGET, LOSS) and path[-1] == choice.value
        return doc.diagnostic(code, message, path, hint, key=listed, severity=severity)
