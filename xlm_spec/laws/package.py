"""A package on disk: its plan, and a fresh import of its modules."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ANSWERS = ".copier-answers.yml"  # contains the plan


class NoPackage(Exception):
    """The folder is not an xlm-spec package, or its plan can't be read."""


class Unusable(Exception):
    """The package can't be imported or is incomplete: (message, path)."""


def plan_of(folder: Path) -> dict[str, Any]:
    """The plan that a package contains. Raises NoPackage."""
    try:
        text = (folder / ANSWERS).read_text(encoding="utf-8")
        plan = json.loads(text.partition("\n")[2])["ir"]
        if not {"name", "method", "inferred"} <= {*plan}:
            raise KeyError
    except (OSError, ValueError, KeyError, TypeError):
        raise NoPackage(folder) from None
    return {"exact_at": {}, "laws": [], "minimisers": {}, **plan}


def import_package(folder: Path, name: str) -> ModuleType:
    """Imports the package, without cached modules. Raises Unusable."""
    for known in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[known]
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as e:
        message = f"the package can't be imported: {type(e).__name__}: {e}"
        raise Unusable(message, folder / name) from None
    finally:
        sys.path.remove(str(folder))
