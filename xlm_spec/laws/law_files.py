"""Finds the law file of each component of a method, and reports components without one.

The law file of a shipped component is beside it, under `components`; that of a custom component is
in the package's `tests/`, to which a build copies it.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from . import components
from .protocols import NEEDED

SHIPPED = Path(components.__path__[0])
FOLDERS = {  # key of a sampler -> axis folder, if the name differs
    "gaps": "tokens",
    "outer": "wrap",  # in packages that were built before 0.5.0
}


class NoLaw(str):
    """The reason why a law was not tested: a component has no law."""


class Unverified(Exception):
    """Raised by a law that finds while it measures that it can't test this method: (why)."""


@dataclass(frozen=True)
class Component:
    """A component of a method; `of` is the sampler or the loss that it belongs to."""

    folder: str
    value: str
    of: str = ""


def components_of(method: dict[str, Any]) -> Iterator[Component]:
    """The components of a method that can have law files, from its plan."""
    yield Component("process", method["noise"]["process"]["kind"])
    for target in method["target"]:
        yield Component("target", target)
    for loss in method["loss"]:
        yield Component("loss", loss["kind"])
        if isinstance(loss.get("weight"), dict):
            yield Component("weight", loss["weight"]["kind"], loss["kind"])
    for head in method.get("head", {}):
        yield Component("head", head)
    for name, parts in method["sampler"].items():
        yield from components_of_sampler(name, parts)


def components_of_sampler(name: str, parts: dict[str, Any]) -> Iterator[Component]:
    """A sampler, its rules, its wraps and its correctors."""
    yield Component("sampler", parts["kind"], name)
    for key, _, chosen in inside(parts):
        yield Component(FOLDERS.get(key, key), chosen["kind"], name)


def inside(parts: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The rules, wraps and correctors of a sampler: key, path of the parameters, choice."""
    for key, value in parts.items():
        if isinstance(value, dict):
            yield key, key, value
        elif isinstance(value, list):
            yield from ((key, f"{key}.{chosen['kind']}", chosen) for chosen in value)


class LawFiles:
    """The law files of one package."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.modules: dict[tuple[str, str], ModuleType | None] = {}

    def of(self, folder: str, value: str) -> ModuleType | None:
        """The law file of a component; None if it has none."""
        if (folder, value) not in self.modules:
            self.modules[folder, value] = self.load(folder, value)
        return self.modules[folder, value]

    def load(self, folder: str, value: str) -> ModuleType | None:
        if (SHIPPED / folder / f"{value}.py").is_file():
            if not (SHIPPED / folder / f"{value}_law.py").is_file():
                return None
            return importlib.import_module(f"{components.__name__}.{folder}.{value}_law")
        file = self.folder / "tests" / f"{value}_law.py"
        if not file.is_file():
            return None
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def missing(self, c: Component, *functions: str) -> NoLaw | None:
        """Why a component has no law with these functions; None if it has.

        Without functions: those that its axis needs.
        """
        needed = NEEDED[c.folder]
        module, file = self.of(c.folder, c.value), f"{c.value}_law.py"
        if module is None:
            why = f"no {file} beside it"
        else:
            names = functions or needed.names
            missing = [n for n in names if not hasattr(module, n) and n not in replaced(module)]
            if not missing:
                return None
            why = f"{file} has no {' and no '.join(f'`{n}`' for n in missing)}"
        return NoLaw(f"no law: {c.folder} {c.value} ({why}): {needed.unverified}")


def replaced(module: ModuleType) -> set[str]:
    """The functions that a constant of a law file replaces."""
    return {name for name, by in INSTEAD.items() if getattr(module, by, False)}


INSTEAD = {
    "score": "ANY_ORDER",  # if all orders are equally likely, there is no score
    "windows": "wrapped",  # a wrap of the model is no loop
}
