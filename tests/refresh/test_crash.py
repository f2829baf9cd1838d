"""Killed builds, full disks and parallel builds: no package is half-built, no edit is lost."""

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
from methods import ROOT, text
from packages import content, edit
from scheduling import shares

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh import build_lock as lock_module
from xlm_spec.refresh.build_lock import build_lock

pytestmark = pytest.mark.slow

TWO = text(sampler="{a: {kind: ancestral, steps: 8}, b: first_hitting, c: first_hitting}")
ONE = text(sampler="{kind: ancestral, steps: 9}", noise="{process: mask, schedule: cosine}")


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "spec.yaml"
    file.write_text(TWO)
    return file


def edits(package: Path, clean: bool) -> None:
    """Edits to merge and to keep; unless `clean`, also a conflict, an orphan and a moved file."""
    edit(package / "method" / "config.py", "class Config:", "class Config:  # mine")
    edit(package / "method" / "loss.py", "import", "# mine\nimport")
    if not clean:
        edit(package / "method" / "__init__.py", "\n\n__all__", "\nMINE = 1\n\n__all__")
        edit(package / "method" / "sampler_first_hitting.py", "import", "# mine\nimport")
        (package / "method" / "noise.py").rename(package / "method" / "moved.py")


@pytest.mark.parametrize("clean", shares([False, True], 2))
def test_the_next_build_completes_a_killed_build(clean, spec, tmp_path):
    folder = build(spec, tmp_path / "first").folder
    edits(folder, clean)
    shutil.copytree(folder, tmp_path / "package")
    spec.write_text(ONE)
    command = [sys.executable, ROOT / "tests" / "killed_builds.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "tests")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["code"] == (0 if clean else 3)
    assert found["kills"] > 30
    assert found["between"] == ["as before", "half-way"]  # else the kills missed the middle


@pytest.mark.parametrize("fails", ["write_bytes", "write_text", "mkdir"])
def test_a_full_disk_changes_nothing(fails, spec, tmp_path, monkeypatch):
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
    assert not build(spec, tmp_path).decisions


@pytest.mark.parametrize("place", [".", "method"])
def test_a_read_only_folder(place, spec, tmp_path):
    """One diagnostic, and no file is changed."""
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
    """Runs as a normal user who owns the folder, because root can write anywhere."""
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
def test_the_second_of_two_builds_waits(lockable, spec, tmp_path, monkeypatch):
    if not lockable:
        monkeypatch.setattr(lock_module, "fcntl", None)
    folder = build(spec, tmp_path).folder
    spec.write_text(ONE)
    done = []
    with build_lock(folder):
        second = threading.Thread(target=lambda: done.append(build(spec, tmp_path)))
        second.start()
        time.sleep(0.3)
        assert not done
    second.join(20)
    assert done
    assert not build(spec, tmp_path).stale
    with build_lock(folder), pytest.raises(Failed) as failed, build_lock(folder, timeout=0.1):
        pass
    assert failed.value.diagnostics[0].code == "X409"
    with build_lock(folder, timeout=0.1):  # a failed attempt locks nothing
        pass


def test_parallel_processes_build_one_package(spec, tmp_path):
    """They build two specs in turn: at the end, all files belong to one of the specs."""
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
