"""Which definitions of which components a package file lists, and what these import."""

import textwrap

from xlm_spec.compiler.code import WIDTH, imports
from xlm_spec.compiler.components import Component, component
from xlm_spec.compiler.method import Method

LIBRARIES = ("types", "ops")  # shared definitions with a file of their own
LAYERS = "layers"  # shared pieces of networks; model.py lists them
MODULES = {  # package file -> the axes whose components it lists, and its docstring
    "noise": (("schedule", "time", "count", "process"), "How clean text is corrupted in {name}"),
    "target": (("target",), "What the network of {name} is asked for"),
    "loss": (("weight", "loss"), "The terms of the loss of {name}"),
    "rules": (
        ("sites", "tokens", "stop", "remasking"),
        "How the samplers of {name} choose sites and draw tokens",
    ),
}
STATED = {"prior", "likelihood"}  # functions that are listed though training calls none of them
MODULE_OF = {folder: m for m, (folders, _) in MODULES.items() for folder in folders}


class Parts:
    """The parts of one package: definitions, by component and name.

    Their texts, and what the files need of the libraries, are gathered on the way.
    """

    def __init__(self, method: Method):
        self.method = method
        self.needed: dict[str, set[str]] = {k: set() for k in LIBRARIES}
        self.passes = set(method.passes)
        self.texts: dict[str, str] = {}  # each with the empty lines that go before it

    def lists(self) -> list[dict]:
        """The files that only list components."""
        return [self.module(m) for m in MODULES if self.chosen(MODULES[m][0])]

    def libraries(self) -> list[dict]:
        """`types` and `ops`, as far as they are needed by all that was taken before."""
        listed = [self.library(k) for k in reversed(LIBRARIES) if self.needed[k]]
        return listed[::-1]  # what `ops` needs of `types` is known when `ops` is listed

    def chosen(self, folders: tuple[str, ...]) -> list[Component]:
        found = self.method.listed
        return [c for f in folders for c in found if c.folder == f and c.definitions]

    def module(self, name: str) -> dict:
        folders, doc = MODULES[name]
        parts: list[str] = []
        chosen = self.chosen(folders)
        wanted: dict[str, set[str]] = {}
        for c in chosen:
            parts += self.take(c, self.roots(c), wanted)
        listed = ", ".join(f"{c.folder} {c.value}" for c in chosen)
        doc = docstring(doc.format(name=self.method.spec.name), f"{listed}.")
        return listed_file(name, doc, wanted, parts)

    def library(self, name: str) -> dict:
        c = component("", name)
        wanted: dict[str, set[str]] = {}
        parts = self.take(c, self.needed[name], wanted)
        return listed_file(name, c.doc + "\n" * ("\n" in c.doc), wanted, parts)

    def roots(self, c: Component) -> set[str]:
        """What the glue calls of a component."""
        called = [line.call for line in self.method.objective]
        for t in (*self.method.terms, *self.method.bound):
            called += [t.target.call, t.call, *(line.call for line in t.weight)]
        names = {call.function for call in called} & set(c.functions)
        return names | (STATED & set(c.functions)) | set(c.fields)

    def network(self, c: Component, roots: set[str], wanted: dict[str, set[str]]) -> list[str]:
        """As `take`, of a component of networks: the layers that it uses go before it."""
        parts = self.take(c, roots, wanted)
        used = wanted.pop(f".{LAYERS}", set())
        return [*(self.take(component("", LAYERS), used, wanted) if used else []), *parts]

    def take(self, c: Component, roots: set[str], wanted: dict[str, set[str]]) -> list[str]:
        """The parts of a component reached from `roots`; adds their imports to `wanted`."""
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
        taken = {f"{home}/{d.name}": ("\n" if "." in d.name else "\n\n") + d.text for d in kept}
        self.texts |= taken
        return [*taken]


def listed_file(name: str, doc: str, wanted: dict[str, set[str]], parts: list[str]) -> dict:
    """A file that lists parts, as the templates read it."""
    summary = doc.split("\n")[0]
    return {
        "name": name,
        "doc": doc,
        "summary": summary,
        "imports": imports(wanted),
        "parts": parts,
    }


def docstring(subject: str, told: str) -> str:
    """The inside of a module's docstring: one line, or a summary and the rest below it."""
    line = f"{subject}: {told}"
    if len(line) + 6 <= WIDTH:
        return line
    return f"{subject}.\n\n{textwrap.fill(told[0].upper() + told[1:], WIDTH)}\n"
