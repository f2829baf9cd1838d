"""pyproject.toml declares what the code imports, and nothing else."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from methods import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DISTRIBUTIONS = packages_distributions()
EXTRAS = {  # of folders of xlm_spec
    "laws": ("laws",),
    "runtime": ("train", "tokenizers", "hub"),
    "workbench": ("train",),
}
NOT_IMPORTED = {
    "copier": "packages are updated by the command `copier update`",
    "tensorboard": "lightning's TensorBoardLogger writes with it",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


def declared(*extras: str) -> set[str]:
    """Distributions that an installation with some extras has."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    return {normal(d) for found in lists for d in found}


def imported(source: str) -> set[str]:
    """Distributions that a module imports, within functions as well."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.level == 0}
    tops = {n.partition(".")[0] for n in names} - sys.stdlib_module_names - {"xlm_spec"}
    return {normal(DISTRIBUTIONS[top][0]) for top in tops}


SOURCES = {
    path.relative_to(ROOT / "xlm_spec").as_posix(): path.read_text()
    for path in sorted((ROOT / "xlm_spec").rglob("*.py"))
}


def undeclared(file: str, source: str) -> set[str]:
    folder = file.partition("/")[0]
    return imported(source) - declared(*EXTRAS.get(folder, ()))


def test_what_a_module_imports_is_declared():
    found = {file: undeclared(file, source) for file, source in SOURCES.items()}
    assert {file: names for file, names in found.items() if names} == {}


def test_control_an_import_that_is_not_declared():
    assert undeclared("compiler/emit/lower.py", "import torch\n") == {"torch"}
    assert undeclared("runtime/training/train.py", "def f():\n    from pygments import lex\n") == {
        "pygments"
    }


def test_what_is_declared_is_imported():
    used = set().union(*map(imported, SOURCES.values()))
    assert declared("train", "tokenizers") - used == set(NOT_IMPORTED)
