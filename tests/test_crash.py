"""Builds that are killed, that have no room, that meet: nothing is half-done, nothing is lost."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from making import ROOT, text
from packages import content, edit

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh import alone as holding
from xlm_spec.refresh.alone import alone

TWO = text(sampler="{a: {kind: ancestral, steps: 8}, b: first_hitting, c: first_hitting}")
ONE = text(sampler="{kind: ancestral, steps: 9}", noise="{process: mask, schedule: cosine}")


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "spec.yaml"
    file.write_text(TWO)
    return file


def edits(package: Path, clean: bool) -> None:
    """Something to merge and to keep; and, unless `clean`, a conflict, an orphan, a moved file."""
    edit(package / "method" / "config.py", "class Config:", "class Config:  # mine")
    edit(package / "method" / "loss.py", "import", "# mine\nimport")
    if not clean:
        edit(package / "method" / "__init__.py", "SAMPLERS = {", "MINE = 1\nSAMPLERS = {")
        edit(package / "method" / "sampler_b.py", "import", "# mine\nimport")
        (package / "method" / "noise.py").rename(package / "method" / "moved.py")


@pytest.mark.parametrize("clean", [True, False])
def test_a_build_killed_before_any_of_its_writes_is_finished_by_the_next(clean, spec, tmp_path):
    folder = build(spec, tmp_path / "first").folder
    edits(folder, clean)
    shutil.copytree(folder, tmp_path / "package")
    spec.write_text(ONE)
    command = [sys.executable, ROOT / "tests" / "killing.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "tests")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["code"] == (0 if clean else 3)
    assert found["kills"] > 30
    assert found["between"] == ["as before", "half-way"]  # else the kills missed the middle


@pytest.mark.parametrize("fails", ["write_bytes", "write_text", "mkdir"])
def test_a_full_disk_leaves_the_package_as_it_was(fails, spec, tmp_path, monkeypatch):
    folder = build(spec, tmp_path).folder
    edits(folder, clean=True)
    before = content(folder)
    spec.write_text(ONE)
    real, calls = getattr(Path, fails), []

    def full(self, *args, **kw):
        calls.append(self)
        if len(calls) > 1 or fails != "write_bytes":
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return real(self, *args, **kw)

    monkeypatch.setattr(Path, fails, full)
    with pytest.raises(Failed) as failed:
        build(spec, tmp_path)
    [told] = failed.value.diagnostics
    assert (told.code, told.message) == ("X403", "cannot write: No space left on device")
    monkeypatch.undo()
    assert content(folder) == before
    assert not build(spec, tmp_path).wanting


@pytest.mark.parametrize("place", [".", "method"])
def test_a_folder_that_may_not_be_written(place, spec, tmp_path):
    """One diagnostic, and not a file is changed."""
    folder = build(spec, tmp_path).folder
    before = content(folder)
    spec.write_text(ONE)
    (folder / place).chmod(0o555)
    if place == ".":
        (folder / ".xlm").chmod(0o555)
    with as_somebody(tmp_path), pytest.raises(Failed) as failed:
        build(spec, tmp_path)
    [told] = failed.value.diagnostics
    assert (told.code, told.message) == ("X403", "cannot write: Permission denied")
    assert content(folder) == before


@contextmanager
def as_somebody(folder: Path):
    """With the rights of a plain user, who owns the folder: root may write anywhere."""
    if os.geteuid():
        yield
        return
    for file in [folder, *folder.rglob("*")]:
        os.chown(file, 65534, 65534)
    for above in folder.parents[:3]:
        above.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("lockable", [True, False])
def test_of_two_builds_at_once_one_waits(lockable, spec, tmp_path, monkeypatch):
    if not lockable:
        monkeypatch.setattr(holding, "fcntl", None)
    folder = build(spec, tmp_path).folder
    spec.write_text(ONE)
    done = []
    with alone(folder):
        second = threading.Thread(target=lambda: done.append(build(spec, tmp_path)))
        second.start()
        time.sleep(0.3)
        assert not done
    second.join(20)
    assert done
    assert not build(spec, tmp_path).stale
    with alone(folder), pytest.raises(Failed) as failed, alone(folder, patience=0.1):
        pass
    assert failed.value.diagnostics[0].code == "X409"
    with alone(folder, patience=0.1):  # a hold that failed holds nothing
        pass


def test_two_processes_that_build_at_once(spec, tmp_path):
    """By turns of two specs: at the end the package is of one of them, whole."""
    other = tmp_path / "other.yaml"
    other.write_text(ONE)
    commands = [
        [sys.executable, "-m", "xlm_spec", "build", f, "--into", tmp_path]
        for f in (spec, other) * 3
    ]
    runs = [subprocess.Popen(c, stderr=subprocess.PIPE, cwd=ROOT) for c in commands]
    errors = [r.communicate()[1] for r in runs]
    assert [r.returncode for r in runs] == [0] * 6, errors
    whole = [content(build(f, tmp_path / f.stem).folder) for f in (spec, other)]
    assert content(tmp_path / "method") in whole


def test_a_first_build_that_fails_leaves_nothing(spec, tmp_path, monkeypatch):
    def full(self, *args, **kw):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Failed):
        build(spec, tmp_path / "into")
    assert not (tmp_path / "into" / "method").exists()
