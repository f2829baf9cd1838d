"""The plan: what a package contains, as data. `layout` turns it into lines of Python.

It holds no floats, so that both engines that render it (ours and copier) agree.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.method import Line

Imports = dict[str, list[str]]  # module -> names; "" -> modules


@dataclass(frozen=True)
class Nats:
    """A loss in nats per sequence, (B,): `(weight * call / density).sum(1)`."""

    call: Call
    weight: str = ""
    density: str = ""

    def __str__(self) -> str:
        factor, divisor = self.factor, self.divisor
        product = f"({factor}{self.call}{divisor})" if factor or divisor else str(self.call)
        return f"{product}.sum(1)"

    @property
    def factor(self) -> str:
        return f"{self.weight} * " * bool(self.weight)

    @property
    def divisor(self) -> str:
        return f" / {self.density}" * bool(self.density)


Value = str | Call | Nats  # str: any other expression


@dataclass(frozen=True)
class Assign:
    """`name = value  # shape`."""

    name: str
    value: Value
    shape: str = ""
    operator: str = "="


@dataclass(frozen=True)
class Yield:
    yields: Value


@dataclass(frozen=True)
class Return:
    """`return value`, or minus the value, or a mapping."""

    returns: Value | dict[str, Value]
    sign: str = ""


@dataclass(frozen=True)
class Leave:
    """`if condition: break`, or `return`."""

    condition: Call
    by: str


@dataclass(frozen=True)
class For:
    """`for names in iterator:`."""

    names: str
    iterator: Call
    body: tuple["Statement", ...]


Statement = Assign | Yield | Return | Leave | For


@dataclass(frozen=True)
class Function:
    """A function that the compiler writes."""

    name: str
    parameters: tuple[str, ...]
    returns: str
    body: tuple[Statement, ...]
    doc: str = ""  # "" if the template has it


@dataclass(frozen=True)
class File:
    """A file that lists definitions."""

    name: str
    doc: str
    details: str  # of its docstring, after the colon
    imports: Imports
    parts: list[str]  # names of definitions, keys of `Plan.parts`


@dataclass(frozen=True)
class SamplerFile(File):
    """The file of a kind of sampler, and the functions that run it."""

    module: str
    functions: list[Function]


@dataclass(frozen=True)
class SamplersFile(File):
    """samplers.py, which runs each of several samplers by its name; the first is the default."""

    functions: dict[str, Function]


@dataclass(frozen=True)
class Field:
    """A field of a dataclass: `name: type = value  # meaning`."""

    name: str
    type: str
    value: str | Call = ""
    meaning: str = ""


@dataclass(frozen=True)
class Section:
    """A dataclass of config.py."""

    name: str
    doc: str
    fields: list[Field]


@dataclass(frozen=True)
class Config:
    """config.py: the sections, inner ones first, the fields of Config, and a tiny Config."""

    imports: Imports
    sections: list[Section]
    fields: list[Field]
    small: Call


@dataclass(frozen=True)
class Model:
    """model.py: its definitions, the attributes of Model, and its methods."""

    imports: Imports
    parts: list[str]
    attributes: list[Assign]
    methods: list[Function]


@dataclass(frozen=True)
class Objective:
    """objective.py: the body of the objective, and that of the bound, if there is one."""

    imports: Imports
    body: tuple[Statement, ...]
    bound: tuple[Statement, ...]
    bound_doc: str


@dataclass(frozen=True)
class Init:
    """__init__.py: its imports and constants."""

    imports: Imports
    bound_at: dict[str, str]  # the parameter values for which the bound holds
    exact: bool
    needs: list[str]
    samplers: dict[str, str]  # name -> function; {} where samplers.py has them


@dataclass(frozen=True)
class Plan:
    """A package as data."""

    name: str
    title: str
    paper: str
    source: str  # the text of spec.yaml
    exports: list[str]
    modules: list[File]
    samplers: list[SamplerFile]
    config: Config
    model: Model
    objective: Objective
    init: Init
    experiment: dict[str, dict[str, str]]  # the settings of data and training, as Python source
    method: dict  # the spec with its defaults
    inferred: dict  # properties inferred from the spec
    card: list[dict[str, str]]  # each choice: {axis, value, title, paper}
    own: list[dict]  # custom components beside the spec: {path, text}
    laws: list[dict]  # their law files: {name, text}
    exact_at: dict[str, dict]  # by sampler, the parameters with which it is exact
    minimisers: dict[str, str]  # by loss, the predictions that minimise it
    parts: dict[str, str]  # the text of each definition, by the name that files list

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def assign(line: Line) -> Assign:
    """The assignment of a line of a method."""
    return Assign(line.name, line.call, line.shape)


def imported(wanted: Mapping[str, Iterable[str]]) -> Imports:
    """Imports in a fixed order, without modules of which nothing is needed."""
    return {module: sorted(set(names)) for module, names in sorted(wanted.items()) if names}
