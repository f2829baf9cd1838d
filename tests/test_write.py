"""Builds write whole packages: again over untouched files, never over an edited one."""

import errno
import hashlib
import json
import os
import subprocess
import sys

import pytest
from making import text

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "method.yaml"
    file.write_text(text())
    return file


def content(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_a_second_build_changes_nothing(spec, tmp_path):
    first = build(spec, tmp_path)
    before = content(first.folder)
    assert first.created
    second = build(spec, tmp_path)
    assert not second.stale
    assert content(first.folder) == before


def test_untouched_files_follow_the_spec(spec, tmp_path):
    folder = build(spec, tmp_path).folder
    spec.write_text(text(sampler="{kind: fixed_budget, sites: random}"))
    done = build(spec, tmp_path)
    assert "method/sampler.py" in done.updated
    assert "Random" in (folder / "method" / "rules.py").read_text()
    spec.write_text(text(sampler="first_hitting"))
    build(spec, tmp_path)
    assert "Random" not in (folder / "method" / "rules.py").read_text()


def test_files_that_are_no_longer_made_go(spec, tmp_path):
    two = "{a: {kind: ancestral, steps: 2}, b: first_hitting}"
    spec.write_text(text(sampler=two))
    folder = build(spec, tmp_path).folder
    assert (folder / "method" / "sampler_b.py").exists()
    spec.write_text(text())
    assert build(spec, tmp_path).removed == ("method/sampler_b.py",)
    assert not (folder / "method" / "sampler_b.py").exists()


@pytest.mark.parametrize("change", ["append", "rewrite", "own file in the way"])
def test_an_edited_file_is_refused_and_nothing_is_touched(change, spec, tmp_path):
    if change == "own file in the way":
        file = tmp_path / "method" / "method" / "loss.py"
        file.parent.mkdir(parents=True)
        file.write_text("# mine\n")
    else:
        file = build(spec, tmp_path).folder / "method" / "loss.py"
        file.write_text((file.read_text() if change == "append" else "") + "# mine\n")
    before = content(tmp_path / "method")
    spec.write_text(text(sampler="first_hitting"))
    with pytest.raises(Failed) as failed:
        build(spec, tmp_path)
    assert failed.value.exit_code == 3
    assert [d.code for d in failed.value.diagnostics] == ["X401"]
    assert failed.value.diagnostics[0].file == str(file)
    assert content(tmp_path / "method") == before


def test_a_deleted_file_comes_back_and_a_file_of_ones_own_stays(spec, tmp_path):
    folder = build(spec, tmp_path).folder
    (folder / "method" / "loss.py").unlink()
    (folder / "notes.md").write_text("mine")
    assert build(spec, tmp_path).created == ("method/loss.py",)
    assert (folder / "notes.md").read_text() == "mine"


def test_a_damaged_record_is_refused(spec, tmp_path):
    folder = build(spec, tmp_path).folder
    for broken in ("", "{", "[]", '{"files": 3}'):
        (folder / ".xlm" / "lock.json").write_text(broken)
        with pytest.raises(Failed) as failed:
            build(spec, tmp_path)
        assert failed.value.diagnostics[0].code == "X402"


def test_a_full_disk(spec, tmp_path, monkeypatch):
    """One diagnostic, and the old package as it was."""
    folder = build(spec, tmp_path).folder
    before = content(folder)
    spec.write_text(text(sampler="first_hitting"))

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(Failed) as failed:
        build(spec, tmp_path)
    [told] = failed.value.diagnostics
    assert (told.code, told.message) == ("X403", "cannot write: No space left on device")
    assert content(folder) == before


def test_a_file_where_the_folder_should_be(spec, tmp_path):
    (tmp_path / "method").write_text("a file")
    with pytest.raises(Failed) as failed:
        build(spec, tmp_path)
    assert failed.value.diagnostics[0].code == "X403"
    assert (tmp_path / "method").read_text() == "a file"


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("then", ["first_hitting", "{kind: fixed_budget, sites: random}"])
def test_an_interrupted_build_is_mended_by_the_next(at, then, spec, tmp_path, monkeypatch):
    """Killed before any of its writes, and then built from the same spec or from another."""
    from xlm_spec.compiler import write

    folder = build(spec, tmp_path).folder
    spec.write_text(text(sampler="first_hitting"))
    done, real = [], write.replace

    def dies(file, data):
        if len(done) == at:
            raise KeyboardInterrupt
        done.append(file)
        real(file, data)

    monkeypatch.setattr(write, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        build(spec, tmp_path)
    monkeypatch.setattr(write, "replace", real)
    spec.write_text(text(sampler=then))
    assert build(spec, tmp_path).stale
    assert not build(spec, tmp_path).stale
    assert content(folder) == content(build(spec, tmp_path / "afresh").folder)


def test_the_commands(spec, tmp_path):
    def run(*words):
        command = [sys.executable, "-m", "xlm_spec", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert run("build", "--check", spec).returncode == 1  # stale: nothing there
    assert not (tmp_path / "generated").exists()
    assert run("build", spec).returncode == 0
    assert run("build", "--check", spec).returncode == 0
    (tmp_path / "generated" / "method" / "README.md").write_text("mine")
    assert run("build", "--check", spec).returncode == 1
    assert run("build", spec).returncode == 3
    plan = json.loads(run("build", "--emit", "plan", spec).stdout)
    assert plan["name"] == "method"
    assert json.loads(run("lower", spec).stdout)["ir"] == plan
    assert run("lower", spec, "-o", tmp_path / "plan.yml").stdout == ""
    assert json.loads((tmp_path / "plan.yml").read_text())["ir"] == plan
    assert (
        json.loads(run("build", "--emit", "spec", spec).stdout)["inferred"]["likelihood"]
        == "objective"
    )
    assert "==> method/loss.py <==" in run("build", "--emit", "files", spec).stdout
    assert json.loads(run("schema").stdout)["title"] == "xlm-spec"
    assert "ancestral" in run("axes", "sampler").stdout
    assert "arXiv:2409.02908" in run("axes", "sampler", "first_hitting").stdout
    assert "that is called `mask` here" in run("axes", "process", "absorb").stderr
    assert run("axes", "no_such_axis").returncode == 1


def test_a_record_that_names_a_path_outside_is_refused(spec, tmp_path):
    """Nothing outside the package is deleted, whatever the record says."""
    folder = build(spec, tmp_path).folder
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    lock = folder / ".xlm" / "lock.json"
    record = json.loads(lock.read_text())
    digest = hashlib.sha256(b"mine").hexdigest()
    for path in ("../victim.txt", str(victim)):
        record["files"] = record["files"] | {path: {"sha256": digest, "text": "mine"}}
        lock.write_text(json.dumps(record))
        with pytest.raises(Failed) as failed:
            build(spec, tmp_path)
        assert failed.value.diagnostics[0].code == "X402"
    assert victim.read_text() == "mine"


def test_a_link_out_of_the_package_is_not_followed(spec, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "method").symlink_to(outside)
    with pytest.raises(Failed) as failed:
        build(spec, tmp_path)
    assert failed.value.diagnostics[0].code == "X403"
    assert list(outside.iterdir()) == []
