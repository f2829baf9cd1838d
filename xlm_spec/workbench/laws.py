"""Holds packages to the laws of their methods: those that travel with the templates."""

import importlib
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import TEMPLATES
from xlm_spec.compiler.render import ANSWERS
from xlm_spec.diagnostics import Diagnostic, Failed

LAWS = TEMPLATES / "verify"


@dataclass(frozen=True)
class Verified:
    """What came of every law for a package."""

    target: str  # as it was named
    results: list[Any]  # of the laws' own kind
    seconds: float

    @property
    def sound(self) -> bool:
        """No law failed, and none said nothing."""
        return not any(r.status in ("failed", "silent") for r in self.results)

    @property
    def counted(self) -> str:
        """How many figures were held, and so on."""
        counts = {s: sum(r.status == s for r in self.results) for s in STATUSES}
        return ", ".join(f"{n} {s}" for s, n in counts.items() if n)

    def text(self, quiet: bool = False) -> str:
        """A line for each law and what it was measured on; quietly, of those that did not hold."""
        shown = [r for r in self.results if not quiet or r.status not in ("held", "n/a")]
        lines = [f"  {r.line()}" for r in shown]
        return "\n".join([f"{self.target}: {self.counted} ({self.seconds:.1f} s)", *lines])

    def as_json(self) -> dict:
        laws = [r.as_json() for r in self.results]
        return {"target": self.target, "sound": self.sound, "seconds": self.seconds, "laws": laws}


STATUSES = ("failed", "silent", "warned", "held", "n/a")


def laws() -> ModuleType:
    """The laws, from the templates that ship."""
    name = "xlm_spec._laws"  # no package has this name
    if name not in sys.modules:
        place = LAWS / "__init__.py"
        spec = importlib.util.spec_from_file_location(
            name, place, submodule_search_locations=[str(LAWS)]
        )
        assert spec
        assert spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def verify(target: str) -> Verified:
    """A spec, which is built elsewhere for it, or a package as it is. Raises Failed."""
    if Path(target).is_dir():
        return judged(target, Path(target).resolve())
    with tempfile.TemporaryDirectory(prefix="xlm-spec-verify-") as place:
        return judged(target, build(target, place).folder)


def judged(target: str, folder: Path) -> Verified:
    plan = plan_of(folder)
    begun = time.monotonic()
    with single_thread():
        method = seen(folder, plan)
        results = [*laws().verify(method)]
    return Verified(target, results, round(time.monotonic() - begun, 1))


def seen(folder: Path, plan: dict) -> Any:
    """The package as laws see it. Raises Failed (X411) where it lacks what every package has."""
    module = imported(folder, plan["name"])
    try:
        return laws().Method(module, plan)
    except Exception as e:
        told = f"the package lacks what every package has: {type(e).__name__}: {e}"
        raise Failed(Diagnostic("X411", told, file=str(folder / plan["name"]))) from None


def plan_of(folder: Path) -> dict:
    """The plan that a package carries. Raises Failed (X410)."""
    try:
        text = (folder / ANSWERS).read_text(encoding="utf-8")
        plan = json.loads(text.partition("\n")[2])["ir"]
        if not {"name", "method", "inferred"} <= {*plan}:
            raise KeyError
        return {"exact_at": {}, **plan}
    except (OSError, ValueError, KeyError, TypeError):
        told = "no package of xlm-spec is here, or its .copier-answers.yml can't be read"
        hint = "name a spec, or a package's folder, such as generated/mdlm"
        raise Failed(Diagnostic("X410", told, hint, str(folder))) from None


def imported(folder: Path, name: str) -> ModuleType:
    """The package, afresh. Raises Failed (X411) where it can't be imported."""
    for known in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[known]
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as e:
        told = f"the package can't be imported: {type(e).__name__}: {e}"
        raise Failed(Diagnostic("X411", told, file=str(folder / name))) from None
    finally:
        sys.path.remove(str(folder))


@contextmanager
def single_thread() -> Iterator[None]:
    """Small tensors are handled fastest by one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
