"""What tests look at in a package's folder, and the scripts that make releases."""

import importlib.util
from pathlib import Path

from methods import ROOT


def module(path: Path):
    """A script of the repository."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


HOOK = module(ROOT / "hatch_build.py")


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
