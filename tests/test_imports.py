"""No circle of modules; a folder of the runtime imports only those before it."""

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest
from methods import ROOT

import xlm_spec.runtime

PACKAGE = "xlm_spec.runtime"
HOME = ROOT / "xlm_spec" / "runtime"
FOLDERS = re.findall(r"(\w+)[,.]", xlm_spec.runtime.__doc__.rpartition("\n\n")[2])
SOURCES = {
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p.read_text()
    for p in (ROOT / "xlm_spec").rglob("*.py")
}


@cache
def imports(module: str, source: str) -> set[str]:
    """The modules that a module imports, within functions as well."""
    nodes = [*ast.walk(ast.parse(source))]
    froms = [n for n in nodes if isinstance(n, ast.ImportFrom)]
    names = {f"{origin(module, n)}.{a.name}" for n in froms for a in n.names}
    names |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    found = {n if n in SOURCES else n.rpartition(".")[0] for n in names}
    return {n for n in found if n in SOURCES and n != module}


def origin(module: str, of: ast.ImportFrom) -> str:
    """The module after `from`, absolute; a package's own name stands for its folder."""
    if not of.level:
        return of.module or ""
    is_folder = any(m.startswith(f"{module}.") for m in SOURCES)
    parts = module.split(".")[: None if is_folder and of.level == 1 else is_folder - of.level]
    return ".".join([*parts, *filter(None, [of.module])])


def require_no_circle(sources: dict[str, str]) -> None:
    TopologicalSorter({m: imports(m, source) for m, source in sources.items()}).prepare()


def folder(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.").partition(".")[0]


def upward(sources: dict[str, str]) -> set[tuple[str, str]]:
    """Imports of a folder that is not before the own one: (module, what it imports)."""
    place = {name: i for i, name in enumerate(FOLDERS)}
    of_runtime = {m: source for m, source in sources.items() if m.startswith(f"{PACKAGE}.")}
    pairs = {(m, i) for m, source in of_runtime.items() for i in imports(m, source)}
    known = {(m, i) for m, i in pairs if folder(m) in place and folder(i) in place}
    return {(m, i) for m, i in known if place[folder(i)] > place[folder(m)]}


def test_every_folder_is_listed():
    assert {p.parent.name for p in HOME.glob("*/__init__.py")} == {*FOLDERS}
    assert len(FOLDERS) == len({*FOLDERS})


def test_no_circle_of_modules():
    require_no_circle(SOURCES)


def test_a_folder_imports_those_before_it():
    assert upward(SOURCES) == set()


def test_control_an_import_within_a_function_closes_a_circle():
    low, high = f"{PACKAGE}.config.resolve_config", f"{PACKAGE}.publish.push"
    closed = SOURCES[low] + f"\ndef push():\n    from {high} import push\n"
    assert upward(SOURCES | {low: closed}) == {(low, high)}
    with pytest.raises(CycleError):
        require_no_circle(SOURCES | {low: closed})
