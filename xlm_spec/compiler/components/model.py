"""A component as data: its functions, classes, parameters and declarations.

Packages contain copies of its definitions; its signatures are its interface (see CONTRIBUTING.md).
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xlm_spec.ranges import Range

NETWORKS = ("backbone", "head")  # whose parameters are those of the `__init__` of a class
SHAPE = re.compile(r"\([BN](?:, [\w /+]+)*\)")


@dataclass(frozen=True)
class Parameter:
    """A parameter of the spec: keyword-only in a component, or a field of its dataclass."""

    name: str
    type: str  # float, int, bool or str
    default: object
    meaning: str
    range: Range | None = None
    choices: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()

    def accepts(self, value: object) -> bool:
        """Does a value have the right type, and is it in the range?"""
        kinds = {"float": (int, float), "int": (int,), "bool": (bool,)}.get(self.type, (str,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and self.type != "bool"):
            return False
        return (not self.choices or value in self.choices) and (
            self.range is None or value in self.range
        )

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if self.choices:
            return " or ".join(f'"{c}"' for c in self.choices)
        return f"{self.type} in {self.range}" if self.range else self.type


@dataclass(frozen=True)
class Function:
    """A signature: positional parameters are wires (name -> type), keyword-only ones parameters.

    A wire is a value that one component provides and another requires (`middle/wires`).
    """

    name: str
    wires: dict[str, str]
    parameters: tuple[Parameter, ...]
    returns: str
    doc: str
    defaults: dict[str, str] = field(default_factory=dict)  # of wires that a method can do without

    @property
    def shape(self) -> str:
        """The first shape in the docstring, such as (B, 1)."""
        found = SHAPE.search(self.doc)
        return found[0] if found else ""


@dataclass(frozen=True)
class Definition:
    """A top-level function or class, an optional method, or a constant that one of them uses."""

    name: str  # `corrupt`, `Backbone.open_cache`
    text: str
    node: ast.stmt

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of its syntax tree."""
        return tuple(ast.walk(self.node))

    @cached_property
    def calls(self) -> tuple[tuple[str, ast.Call], ...]:
        """(x, call) for each call x(...), where x is any expression."""
        found = (n for n in self.nodes if isinstance(n, ast.Call))
        return tuple((ast.unparse(n.func), n) for n in found)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that it uses."""
        return frozenset(n.id for n in self.nodes if isinstance(n, ast.Name))

    @cached_property
    def attributes(self) -> frozenset[tuple[str, str]]:
        """(x, y) for each x.y where x is a name."""
        found = (n for n in self.nodes if isinstance(n, ast.Attribute))
        return frozenset((n.value.id, n.attr) for n in found if isinstance(n.value, ast.Name))

    @cached_property
    def accesses(self) -> frozenset[tuple[str, str]]:
        """(x, y) for each x.y, where x is any expression."""
        found = (n for n in self.nodes if isinstance(n, ast.Attribute))
        return frozenset((ast.unparse(n.value), n.attr) for n in found)

    @cached_property
    def holds_model(self) -> frozenset[str]:
        """x for each `x = model`, also in `x, y = model, z`."""
        nodes = (n for n in self.nodes if isinstance(n, ast.Assign))
        pairs = [(t, n.value) for n in nodes for t in n.targets]
        for target, value in [*pairs]:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs += zip(target.elts, value.elts, strict=False)
        return frozenset(ast.unparse(t) for t, value in pairs if ast.unparse(value) == "model")

    @cached_property
    def members(self) -> frozenset[str]:
        """The attributes that it uses, of any object."""
        return frozenset(n.attr for n in self.nodes if isinstance(n, ast.Attribute))


@dataclass(frozen=True)
class Component:
    """One value of an axis, or a library (`types`, `ops`)."""

    folder: str
    value: str
    title: str
    doc: str
    paper: str
    synonyms: dict[str, str]  # word of papers or other code -> the parameters that it implies
    differs: dict[str, str]  # such a word -> how its meaning elsewhere differs
    imports: dict[str, frozenset[str]]  # module -> names; "" -> modules
    definitions: dict[str, Definition]
    functions: dict[str, Function]
    fields: dict[str, tuple[Parameter, ...]]  # class -> its annotated fields
    types: dict[str, dict[str, str]]  # class -> field -> annotation
    methods: dict[str, dict[str, Function]]
    classes: dict[str, str]  # class -> its docstring
    bases: dict[str, tuple[str, ...]]  # class -> its bases
    constants: dict[str, Any] = field(default_factory=dict)
    file: str = ""  # of a custom component, as the spec names it; "" if shipped
    source: str = ""  # of a custom component
    law: str = ""  # the text of the law file of a custom component

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.value}"

    @property
    def main(self) -> Function:
        """The function that is named like the file (targets, losses, weights)."""
        return self.functions[self.value]

    @property
    def object(self) -> str:
        """The dataclass that Config contains (schedules and rules); "" if there is none."""
        return next(iter(self.fields), "")

    @property
    def wrapper(self) -> str:
        """The class of a wrap that stands in for the model; "" for a loop around a sampler."""
        if self.folder != "wrap" or "windows" in self.functions:
            return ""
        called = {n: m for n, m in self.methods.items() if "__call__" in m}
        built = [n for n, defined in called.items() if "__init__" in defined]
        return next((n for n in built if "model" in called[n]["__init__"].wires), "") or next(
            iter([*built, *called]), ""
        )

    @property
    def network(self) -> str:
        """The class of a backbone or a head; "" in a head that shares the class of another one."""
        if self.folder == "backbone":
            return "Backbone"
        return next(iter(self.modules), "")

    @property
    def modules(self) -> list[str]:
        """The classes that derive from `nn.Module`."""
        nodes = {n: d.node for n, d in self.definitions.items() if isinstance(d.node, ast.ClassDef)}
        return [n for n, c in nodes.items() if any(is_module(b) for b in c.bases)]

    @property
    def build(self) -> Function:
        """The `__init__` of a backbone or a head."""
        return self.methods[self.network]["__init__"]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that a spec can set, each once."""
        if self.folder in NETWORKS:
            return self.build.parameters if self.network else ()
        if self.wrapper:
            return self.methods[self.wrapper]["__init__"].parameters
        if not self.functions:
            return self.fields.get(self.object, ())
        found = {p.name: p for f in self.functions.values() for p in f.parameters}
        for f in self.functions.values():
            for p in f.parameters:
                assert found[p.name] == p, f"{self.path}: `{p.name}` has two different declarations"
        return tuple(found.values())


def is_module(base: ast.expr) -> bool:
    """Is a base class `nn.Module`?"""
    return ast.unparse(base) in ("Module", "nn.Module", "torch.nn.Module")


def kind(folder: str) -> str:
    """A component of this folder, in messages: `a process`, `an order rule`."""
    rule = " rule" * (folder in ("order", "tokens", "stop", "remasking"))
    return f"{'an' if folder[0] in 'aeiou' else 'a'} {folder.replace('_', '-')}{rule}"
