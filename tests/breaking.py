"""Builds the packages of mutants.py, breaks them, and asks which law notices."""

import importlib
from pathlib import Path

from mutants import SPECS, Mutant

from xlm_spec.compiler.build import build
from xlm_spec.workbench.laws import imported, laws, plan_of


def built(spec: str, into: Path) -> Path:
    """The package of a spec, unharmed."""
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
    """The package as laws see it."""
    importlib.invalidate_caches()
    for cached in folder.rglob("__pycache__"):
        for file in cached.iterdir():
            file.unlink()
    return laws().Method(imported(folder, "method"), plan_of(folder))


def first_broken(folder: Path, only: str = ""):
    """The first law that a package breaks, if any; of one name, where that is asked."""
    m = method(folder)
    chosen = [law for law in laws().LAWS if only in ("", law.name)]
    for result in laws().verify(m, chosen):
        if result.status in ("failed", "silent"):
            return result
    return None
