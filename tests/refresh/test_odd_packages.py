"""Packages in unusual states: links, edited records, conflict markers of other tools."""

import json
import os
import subprocess
import sys

import pytest
from code_blocks import blocks
from methods import ROOT, text
from packages import content, edit

from xlm_spec.compiler.build import build
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh import journal
from xlm_spec.refresh.disk import digest
from xlm_spec.refresh.outcome import FileAction
from xlm_spec.refresh.status import status

FIRST = text(sampler="{kind: ancestral, steps: 8}")
OTHER = text(sampler="{kind: ancestral, steps: 9}")
TWO = text(sampler="{a: {kind: ancestral, steps: 8}, b: first_hitting}")


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "method.yaml"
    file.write_text(FIRST)
    return file


@pytest.fixture
def folder(spec, tmp_path):
    return build(spec, tmp_path).folder


def codes(call):
    """(exit code, codes) of a call that must fail."""
    with pytest.raises(Failed) as failed:
        call()
    return failed.value.exit_code, {d.code for d in failed.value.diagnostics}


# ---- a package that left home -----------------------------------------------------------------


@pytest.fixture
def away(tmp_path):
    """A package with a custom component, without its original spec."""
    guide = (ROOT / "docs" / "guides" / "component.md").read_text()
    (tmp_path / "window.yaml").write_text(blocks(guide, "yaml")[0])
    (tmp_path / "window_mask.py").write_text(blocks(guide, "python")[0])
    found = build(tmp_path / "window.yaml", tmp_path / "out").folder.rename(tmp_path / "window")
    (tmp_path / "window_mask.py").unlink()
    return found


def test_the_only_copy_of_a_component_is_never_removed(away):
    mine = away / "window_mask.py"
    edit(mine, "at a random position", "at a random position, MINE")
    assert not build(away / "spec.yaml").decisions
    assert "position, MINE" in (away / "window" / "noise.py").read_text()
    edit(
        away / "spec.yaml",
        "process: {kind: ./window_mask.py, least: 2}",
        "process: mask\n  schedule: linear",
    )
    done = build(away / "spec.yaml")
    assert [d.code for d in done.decisions] == ["X407"]
    assert "position, MINE" in mine.read_text()


def test_an_edit_of_the_packages_spec_is_kept_by_a_build_of_another_spec(spec, folder):
    inside = folder / "spec.yaml"
    inside.write_text(inside.read_text().replace("steps: 8", "steps: 64") + "# MINE\n")
    assert not build(inside).decisions
    assert "steps: int = 64" in (folder / "method" / "config.py").read_text()
    assert not build(inside).stale
    spec.write_text(FIRST + "# from outside\n")
    build(spec, folder.parent)
    assert "# MINE" in inside.read_text()


def test_a_package_in_a_folder_with_another_name_is_built_in_place(folder):
    home = folder.rename(folder.with_name("renamed"))
    edit(home / "spec.yaml", "steps: 8", "steps: 9")
    done = build(home / "spec.yaml")
    assert done.folder == home
    assert "steps: int = 9" in (home / "method" / "config.py").read_text()
    assert not folder.exists()


@pytest.mark.parametrize("how", ["one CRLF", "BOM", "lone CR"])
def test_a_spec_with_another_encoding_is_not_a_conflict(how, folder):
    inside = folder / "spec.yaml"
    raw = inside.read_bytes().replace(b"steps: 8", b"steps: 64")
    if how == "one CRLF":
        raw = raw.replace(b"\n", b"\r\n", 1)
    elif how == "BOM":
        raw = b"\xef\xbb\xbf" + raw
    else:
        raw = raw.replace(b"\n", b"\r")
    inside.write_bytes(raw)
    assert not build(inside).decisions
    assert inside.read_bytes() == raw


# ---- links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [".xlm", ".xlm/next"])
def test_a_link_in_place_of_the_record_is_an_error(which, spec, folder):
    victim = folder.parent / "victim"
    (victim / "next").mkdir(parents=True)
    (victim / "next" / "thesis.txt").write_text("precious")
    (victim / "list.json").write_text('{"changes": [], "report": []}')
    place = folder / which
    if place.exists():
        place.rename(folder.parent / "aside")
    place.symlink_to(victim)
    before = content(victim)
    assert codes(lambda: build(spec, folder.parent)) == (1, {"X403"})
    assert content(victim) == before


def test_a_link_that_makes_two_paths_one_file_is_an_error(spec, folder):
    (folder / "method" / "loss.py").unlink()
    (folder / "method" / "loss.py").symlink_to(folder / "method" / "noise.py")
    before = content(folder)
    assert codes(lambda: build(spec, folder.parent)) == (1, {"X403"})
    assert content(folder) == before


def test_a_link_to_an_unedited_file_is_not_removed(spec, tmp_path):
    spec.write_text(TWO)
    folder = build(spec, tmp_path).folder
    file, other = folder / "method" / "sampler_first_hitting.py", folder / "kept.py"
    file.rename(other)
    file.symlink_to(other)
    spec.write_text(FIRST)
    assert [d.code for d in build(spec, tmp_path).decisions] == ["X407"]
    assert other.exists()
    assert file.is_symlink()


def test_a_pipe_in_place_of_a_file_is_an_error(spec, folder):
    (folder / "method" / "config.py").unlink()
    os.mkfifo(folder / "method" / "config.py")
    assert codes(lambda: build(spec, folder.parent)) == (1, {"X403"})
    assert codes(lambda: build(spec, folder.parent, check_only=True)) == (1, {"X403"})
    assert codes(lambda: status(folder)) == (1, {"X403"})


# ---- records ----------------------------------------------------------------------------------


def test_a_record_that_names_a_user_file_does_not_remove_it(spec, folder):
    (folder / "notes.md").write_text("mine")
    lock = folder / ".xlm" / "lock.json"
    record = json.loads(lock.read_text())
    record["files"]["notes.md"] = digest(b"mine")
    lock.write_text(json.dumps(record))
    done = build(spec, folder.parent)
    assert (folder / "notes.md").read_text() == "mine"
    assert done.paths(FileAction.REMOVED) == ()


@pytest.mark.parametrize(
    "path", ["a\0b", "a\ud800b", "a" * 300, "spec.yaml/x", "method", "a\nb", "..", "/etc/x"]
)
def test_a_record_with_invalid_paths_is_damaged(path, spec, folder):
    lock = folder / ".xlm" / "lock.json"
    record = json.loads(lock.read_text())
    record["files"][path] = digest(b"x")
    lock.write_text(json.dumps(record))
    done = build(spec, folder.parent)
    assert [d.code for d in done.warnings] == ["X402"]
    assert not done.decisions


@pytest.mark.parametrize("raw", ["[" * 200_000, '{"changes": [{"path": "a\\u0000"}]}', "3", "{}"])
def test_an_invalid_list_of_changes_is_dropped(raw, spec, folder):
    place = folder / journal.NEXT
    place.mkdir()
    (place / journal.LIST).write_text(raw)
    build(spec, folder.parent)
    assert not place.exists()


def test_status_reports_a_killed_build(spec, folder):
    place = folder / journal.NEXT
    place.mkdir()
    (place / journal.LIST).write_text('{"changes": [], "report": []}')
    assert [d.code for d in status(folder).warnings] == ["X412"]
    build(spec, folder.parent)
    assert not status(folder).warnings


def test_the_next_build_reports_the_orphans_of_a_killed_build(spec, tmp_path, monkeypatch):
    """The new record no longer contains the file."""

    def killed(*of, **more):
        raise KeyboardInterrupt

    spec.write_text(TWO)
    folder = build(spec, tmp_path).folder
    edit(folder / "method" / "sampler_first_hitting.py", "import", "# mine\nimport")
    spec.write_text(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(journal.Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            build(spec, tmp_path)
    assert [d.code for d in build(spec, tmp_path).decisions] == ["X407"]


# ---- markers ----------------------------------------------------------------------------------

LEFT = {
    "ours without its ends": "||||||| last build\na\n=======\nb\n",
    "git's": "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> branch\n",
    "copier's": "<<<<<<< before updating\na\n=======\nb\n>>>>>>> after updating\n",
}


@pytest.mark.parametrize("which", LEFT)
def test_conflict_markers_of_any_tool_block_builds(which, spec, folder):
    config = folder / "method" / "config.py"
    config.write_text(config.read_text() + LEFT[which])
    assert codes(lambda: build(spec, folder.parent)) == (3, {"X405"})
    assert status(folder).conflicted


def test_a_reject_file_blocks_builds(spec, folder):
    """As `copier update --conflict rej` leaves it."""
    (folder / "method" / "config.py.rej").write_text("@@")
    assert codes(lambda: build(spec, folder.parent)) == (3, {"X405"})
    assert status(folder).conflicted


def test_lines_that_look_like_markers_do_not_block_builds(spec, folder):
    """A heading, and a component with conflict markers in its text."""
    readme = folder / "README.md"
    readme.write_text(readme.read_text() + "Mine\n=======\n<<<<<<< here\n")
    assert not build(spec, folder.parent).decisions
    weight = '"""Half.\n\n<<<<<<< yours\n>>>>>>> this build\n"""\n\nfrom torch import Tensor\n\n'
    weight += 'COUNT = "elbo_weight"\n\n\ndef half(rate: Tensor) -> Tensor:\n'
    weight += '    """rate / 2, (B, 1).\n\n<<<<<<< yours\n    """\n    return rate / 2\n'
    (folder.parent / "half.py").write_text(weight)
    spec.write_text(text(name="halved", loss="[cross_entropy: {weight: ./half.py}]"))
    build(spec, folder.parent)
    assert not build(spec, folder.parent).stale


# ---- the machine ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "odd",
    [
        {"GIT_CONFIG_COUNT": "foo"},
        {"GIT_CONFIG_PARAMETERS": "'x"},
        {"GIT_DIR": "/nowhere"},
        {"GIT_INDEX_FILE": "/nowhere"},
    ],
    ids=str,
)
def test_git_settings_of_the_caller_have_no_effect(odd, spec, folder, monkeypatch):
    edit(folder / "method" / "config.py", "class Config:", "class Config:  # mine")
    for name, value in odd.items():
        monkeypatch.setenv(name, value)
    spec.write_text(OTHER)
    assert build(spec, folder.parent).paths(FileAction.MERGED) == ("method/config.py",)


def test_a_file_that_git_ignores_causes_a_warning(spec, tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("config.py\n")
    monkeypatch.setenv("GIT_DIR", ".git")  # as in a hook
    assert [d.code for d in build(spec, tmp_path).warnings] == ["X408"]


def test_a_user_without_a_home_folder(tmp_path):
    """A user without a name and without a home, as in a container."""
    env = {k: v for k, v in os.environ.items() if k != "HOME"}
    script = "import os, pwd\npwd.getpwuid = lambda uid: {}[uid]\n"
    script += "from xlm_spec.cli import main\nmain()"
    command = [sys.executable, "-c", script, "explain", "X401"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_deleted_working_folder(folder, tmp_path):
    gone = tmp_path / "gone"
    script = f"cd {gone} && rmdir {gone} && {sys.executable} -m xlm_spec status {folder}"
    gone.mkdir()
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("letter", ["\x7f", "\x85", "\x9b", "\uffff", "\u202e", "\f"])
def test_an_invisible_character_in_a_component_is_an_error(letter, tmp_path):
    guide = (ROOT / "docs" / "guides" / "component.md").read_text()
    (tmp_path / "window.yaml").write_text(blocks(guide, "yaml")[0])
    source = blocks(guide, "python")[0].replace("at a random position", f"at a {letter} position")
    (tmp_path / "window_mask.py").write_text(source)
    assert codes(lambda: build(tmp_path / "window.yaml", tmp_path)) == (1, {"X110"})
