"""Do two components that share a file of the package define one name?

Those that ship do not; this is for components in files of the author's own.
"""

from collections.abc import Iterator

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.config import config
from xlm_spec.compiler.method import Method
from xlm_spec.compiler.parts import MODULE_OF
from xlm_spec.compiler.spec import Choice
from xlm_spec.diagnostics import Diagnostic

OWN = {"model": ("Config", "Model"), "sampler": ("Config", "sample")}  # names of the glue


def clashes(method: Method) -> Iterator[Diagnostic]:
    """X114 where a name of an author's component stands for something else in its file."""
    sections = {s["name"] for s in config(method)["sections"]} | {"Config", "Vocab"}
    for choice in method.choices:
        mine = choice.component
        if not mine.source:
            continue
        for name in sorted(names(mine)):
            other = taken_by(method, choice, name)
            if not other and name == mine.object and name in sections:
                other = "a section of the package's config.py"
            if other:
                told = f"`{name}` in `{mine.value}.py` is the name of {other} too"
                hint = "another name in your file"
                yield method.spec.document.diagnostic("X114", told, choice.path, hint)


def taken_by(method: Method, choice: Choice, name: str) -> str:
    """What else has this name in the file of the package that lists a component."""
    mine = choice.component
    for c in method.listed:
        if c is not mine and file_of(c) == file_of(mine) and name in names(c):
            return f"something in {c.folder} `{c.value}`"
    return "the package's own code" if name in OWN.get(file_of(mine), ()) else ""


def file_of(c: Component) -> str:
    """The file of a package that lists a component, up to the name of the sampler."""
    return MODULE_OF.get(c.folder) or ("model" if c.folder == "backbone" else "sampler")


def names(c: Component) -> set[str]:
    """What a component defines for all of its file."""
    return {n for n in c.definitions if "." not in n}
