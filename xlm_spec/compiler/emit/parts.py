"""Chooses the definitions of components that each package file lists, and their imports."""

from xlm_spec.compiler.components import Component, component
from xlm_spec.compiler.emit.plan import File, imported
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import passes

LIBRARIES = ("types", "ops")  # shared definitions with a file of their own
LAYERS = "layers"  # shared layers; model.py lists those that it uses
MODULES = {  # package file -> the axes whose components it lists, and its docstring
    "noise": (("schedule", "time", "count", "process", "roll_in"), "The noise of {name}"),
    "target": (("target",), "The target of {name}"),
    "loss": (("weight", "loss"), "The loss of {name}"),
    "rules": (
        ("order", "tokens", "stop", "remasking"),
        "Rules of the samplers of {name}",
    ),
}
STATED = {"prior", "likelihood", "every_time"}  # listed although training does not call them
MODULE_OF = {folder: m for m, (folders, _) in MODULES.items() for folder in folders}


class Parts:
    """The parts of one package: definitions, by component and name.

    Collects their texts and the names that the files need from the shared modules.
    """

    def __init__(self, method: Method):
        self.method = method
        self.needed: dict[str, set[str]] = {k: set() for k in LIBRARIES}
        self.passes = set(passes(method))
        self.texts: dict[str, str] = {}

    def lists(self) -> list[File]:
        """The files that only list components."""
        return [self.module(m) for m in MODULES if self.chosen(MODULES[m][0])]

    def libraries(self) -> list[File]:
        """The definitions of `types` and `ops` that the files collected so far need."""
        listed = [self.library(k) for k in reversed(LIBRARIES) if self.needed[k]]
        return listed[::-1]  # `ops` goes first, because it adds to the needs of `types`

    def chosen(self, folders: tuple[str, ...]) -> list[Component]:
        found = self.method.listed
        return [c for f in folders for c in found if c.folder == f and c.definitions]

    def module(self, name: str) -> File:
        folders, doc = MODULES[name]
        parts: list[str] = []
        chosen = self.chosen(folders)
        wanted: dict[str, set[str]] = {}
        for c in chosen:
            parts += self.take(c, self.roots(c), wanted)
        doc = doc.format(name=self.method.spec.name)
        return File(name, doc, f"{listed(chosen)}.", imported(wanted), parts)

    def library(self, name: str) -> File:
        c = component("", name)
        wanted: dict[str, set[str]] = {}
        shared = self.shared(wanted) if name == "types" else []
        parts = [*self.take(c, self.needed[name], wanted), *shared]
        wanted.pop(f".{name}", None)
        return File(name, c.doc, "", imported(wanted), parts)

    def shared(self, wanted: dict[str, set[str]]) -> list[str]:
        """The types that custom files share; those that others need are added before them."""
        parts: list[str] = []
        for c in reversed(self.method.spec.types):
            needed = self.needed["types"] & {*c.definitions}
            parts = [*self.take(c, needed, wanted), *parts]
        return parts

    def roots(self, c: Component) -> set[str]:
        """The definitions of a component that the generated code calls."""
        times = [self.method.bound_time] if self.method.bound_time else []
        called = [line.call for line in (*self.method.objective, *times)]
        for t in (*self.method.terms, *self.method.bound):
            called += [t.call, *(line.call for line in t.lines)]
        names = {call.function for call in called} & set(c.functions)
        return names | (self.stated(c) & set(c.functions)) | set(c.fields)

    def stated(self, c: Component) -> set[str]:
        """The likelihood of the process, if it has one, replaces that of the count."""
        of_process = "likelihood" in self.method.spec.process.component.functions
        return STATED - ({"likelihood"} if of_process and c.folder == "count" else set())

    def network(self, wanted: dict[str, set[str]]) -> list[str]:
        """The parts of the backbone and of the heads; the layers that they use come first."""
        backbone = self.method.spec.backbone.component
        holders = {h.component.path: h.component for h in self.method.heads}
        parts: list[str] = []
        for c in (backbone, *holders.values()):
            parts += self.take(c, {c.network}, wanted)
        used = wanted.pop(f".{LAYERS}", set())
        return [*(self.take(component("", LAYERS), used, wanted) if used else []), *parts]

    def take(self, c: Component, roots: set[str], wanted: dict[str, set[str]]) -> list[str]:
        """The parts of a component that `roots` reach; adds their imports to `wanted`."""
        reached: set[str] = set()
        todo = set(roots)
        called = set(self.passes)
        while todo:
            reached |= todo
            found = [c.definitions[n] for n in reached if n in c.definitions]
            called |= {m for d in found for m in d.members}
            reads = {n for d in found for n in d.names} & set(c.definitions)
            apart = {n for n in c.definitions if "." in n and n.partition(".")[2] in called}
            todo = (reads | apart) - reached
        kept = [d for n, d in c.definitions.items() if n in reached]
        names = {n for d in kept for n in d.names}
        for module, given in c.imports.items():
            used = {n for n in given if n.split(" as ")[-1].split(".")[0] in names}
            library = module.lstrip(".")
            if module.startswith(".") and library in LIBRARIES:
                self.needed[library] |= used
            if used:
                wanted.setdefault(module, set()).update(used)
        home = f"{c.folder or 'shared'}/{c.value}"
        taken = {f"{home}/{d.name}": d.text for d in kept}
        self.texts |= taken
        return [*taken]


def listed(chosen: list[Component]) -> str:
    """`schedule linear, time iid`; an axis is named once."""
    by_axis: dict[str, list[str]] = {}
    for c in chosen:
        by_axis.setdefault(c.folder, []).append(c.value)
    return ", ".join(f"{axis} {' and '.join(values)}" for axis, values in by_axis.items())
