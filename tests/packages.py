"""What tests look at in a package's folder, and the scripts that make releases."""

import importlib.util
from pathlib import Path

from making import ROOT


def module(path: Path):
    """A script of the repository."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


HOOK = module(ROOT / "hatch_build.py")


SINCE = {"own": "0.2.0", "exact_at": "0.3.0", "laws": "0.3.0"}  # keys of the plan


def as_released(ir: dict, version: str) -> dict:
    """A plan without what came after a release."""
    return {k: v for k, v in ir.items() if SINCE.get(k, version) <= version}


def content(folder: Path) -> dict[str, bytes]:
    """Every file, by its path."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def edit(file: Path, old: str, new: str) -> None:
    """Replaces a text that is there once at least."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
