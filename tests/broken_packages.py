"""Builds the packages of mutants.py, breaks them, and reports which law detects it."""

import importlib
from pathlib import Path

from mutants import SPECS, Mutant

from xlm_spec import laws
from xlm_spec.compiler.build import build


def built(spec: str, into: Path) -> Path:
    """The correct package of a spec."""
    file = into / "method.yaml"
    into.mkdir(parents=True, exist_ok=True)
    file.write_text(SPECS[spec])
    return build(file, into).folder


def patched(mutant: Mutant, folder: Path) -> None:
    file = folder / "method" / f"{mutant.file}.py"
    source = file.read_text()
    assert source.count(mutant.old) >= 1, f"{mutant.name}: nothing to patch in {mutant.file}.py"
    file.write_text(source.replace(mutant.old, mutant.new, 1))


def method(folder: Path):
    """The method of a package, as the laws use it."""
    importlib.invalidate_caches()
    for cached in folder.rglob("__pycache__"):
        for file in cached.iterdir():
            file.unlink()
    return laws.load_package(folder)


def first_broken(folder: Path, only: str = ""):
    """The first broken law of a package, or None; `only` tests one law."""
    m = method(folder)
    selected = [law for law in laws.LAWS if only in ("", law.name)]
    for result in laws.verify(m, selected):
        if result.status in ("failed", "silent"):
            return result
    return None
