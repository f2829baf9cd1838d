"""The file of a teacher names its package: only packages that xlm-spec has built are imported."""

import shutil
import sys
from types import SimpleNamespace

import pytest
from methods import ROOT

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.weights.teacher import is_generated, package_of

RUNS = "from pathlib import Path\n\nPath(__file__).with_name('ran').touch()\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of built packages, with the student in it, a current folder and an installed one."""
    for name in ("out", "here", "installed"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "here"), *sys.path])
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "installed")])
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    return tmp_path


def found(name, place):
    return package_of(name, SimpleNamespace(__name__="s", __file__=f"{place}/out/s/s/__init__.py"))


def built(folder, name):
    """A package that xlm-spec has built, which notes that it was imported."""
    shutil.copytree(ROOT / "generated" / "mdlm" / "mdlm", folder / name)
    file = folder / name / "__init__.py"
    file.write_text(file.read_text() + RUNS)
    return folder / name / "ran"


@pytest.mark.parametrize(
    "name", ["", "..x", ".x", "a.b", "os.path", "a b", "/tmp/x", "no_such", "1"]
)
def test_a_name_of_no_package(name, place):
    with pytest.raises(Failed) as e:
        found(name, place)
    [diagnostic] = e.value.diagnostics
    assert diagnostic.code == "X618"
    assert repr(name) in diagnostic.message


@pytest.mark.parametrize("where", ["here", "installed", "out/theirs"])
def test_other_code_is_not_imported(where, place):
    folder = place / where
    folder.mkdir(exist_ok=True)
    (folder / "theirs").mkdir()
    (folder / "theirs" / "__init__.py").write_text(RUNS)
    (folder / "module_of_theirs.py").write_text(RUNS)
    for name in ("theirs", "module_of_theirs", "antigravity", "json", "torch"):
        with pytest.raises(Failed):
            found(name, place)
    assert not [*place.rglob("ran")]


def test_a_package_of_the_current_folder_is_not_imported(place):
    ran = built(place / "here", "copied")
    with pytest.raises(Failed):
        found("copied", place)
    assert not ran.exists()


@pytest.mark.parametrize("where", ["installed", "out/copied"])
def test_control_a_built_package_is_imported(where, place):
    (place / where).mkdir(exist_ok=True)
    built(place / "here", "copied")  # the current folder comes first in sys.path
    ran = built(place / where, "copied")
    package = found("copied", place)
    assert package.Model(package.Config.small())
    assert ran.exists()
    assert not (place / "here" / "copied" / "ran").exists()
    assert found("copied", place) is package


def test_a_package_that_fails_is_one_diagnostic(place):
    built(place / "installed", "fails")
    file = place / "installed" / "fails" / "model.py"
    file.write_text("raise ValueError('as asked')\n")
    with pytest.raises(Failed, match="cannot be imported: as asked"):
        found("fails", place)


def test_every_package_can_be_that_of_a_teacher():
    files = [*(ROOT / "generated").glob("*/*/__init__.py")]
    packages = [f for f in files if f.parent.name == f.parent.parent.name]
    assert len(packages) > 10
    assert all(map(is_generated, packages))
