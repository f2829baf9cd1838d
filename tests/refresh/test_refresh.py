"""Builds of edited packages: user edits are kept, and new code is added."""

import json
import os
import subprocess
import sys

import pytest
from methods import text
from packages import content, edit

from xlm_spec.compiler.build import build
from xlm_spec.compiler.emit import templates
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh.disk import digest
from xlm_spec.refresh.outcome import FileAction, outcome
from xlm_spec.refresh.status import status

FIRST = text(sampler="{kind: ancestral, steps: 8}")
OTHER = text(sampler="{kind: ancestral, steps: 9}", noise="{process: mask, schedule: cosine}")
STEPS = "    steps: int = 8"


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "method.yaml"
    file.write_text(FIRST)
    return file


@pytest.fixture
def folder(spec, tmp_path):
    return build(spec, tmp_path).folder


def again(spec, folder, new=OTHER):
    """Builds another spec with the same name."""
    spec.write_text(new)
    return build(spec, folder.parent)


def codes(done):
    return [d.code for d in done.decisions]


def failure(spec, folder):
    """(exit code, diagnostics) of a build that must fail."""
    with pytest.raises(Failed) as failed:
        build(spec, folder.parent)
    return failed.value.exit_code, failed.value.diagnostics


# ---- nobody edited ----------------------------------------------------------------------------


def test_a_second_build_changes_nothing(spec, folder):
    before = content(folder)
    times = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    done = build(spec, folder.parent)
    assert not done.stale
    assert {o.action for o in done.outcomes} == {FileAction.UNCHANGED}
    assert content(folder) == before
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == times


def test_unedited_files_are_updated(spec, folder):
    done = again(spec, folder)
    assert "method/config.py" in done.paths(FileAction.UPDATED)
    assert content(folder) == content(build(spec, folder.parent / "afresh").folder)
    again(spec, folder, text(sampler="{kind: fixed_budget, order: random}"))
    assert "Random" in (folder / "method" / "rules.py").read_text()
    again(spec, folder, text(sampler="first_hitting"))
    assert "Random" not in (folder / "method" / "rules.py").read_text()


def test_unedited_files_that_are_no_longer_generated_are_removed(spec, folder):
    again(spec, folder, text(sampler="{a: {kind: ancestral, steps: 2}, b: first_hitting}"))
    assert not (folder / "method" / "sampler.py").exists()
    gone = ("method/sampler_ancestral.py", "method/sampler_first_hitting.py", "method/samplers.py")
    assert again(spec, folder, FIRST).paths(FileAction.REMOVED) == gone
    assert not any((folder / path).exists() for path in gone)


# ---- somebody did -----------------------------------------------------------------------------


def test_edits_are_kept_and_the_spec_change_is_merged(spec, folder):
    edit(folder / "method" / "loss.py", "import", "# mine\nimport")
    edit(folder / "method" / "config.py", "class Config:", "class Config:  # mine")
    (folder / "notes.md").write_text("mine")
    done = again(spec, folder)
    assert done.paths(FileAction.KEPT) == ("method/loss.py",)
    assert done.paths(FileAction.MERGED) == ("method/config.py",)
    assert not done.decisions
    config = (folder / "method" / "config.py").read_text()
    assert "steps: int = 9" in config
    assert "class Config:  # mine" in config
    assert (folder / "notes.md").read_text() == "mine"
    assert not build(spec, folder.parent).stale


def test_the_same_change_by_the_user_and_the_build_is_not_a_conflict(spec, folder):
    edit(folder / "method" / "config.py", STEPS, "    steps: int = 9")
    done = again(spec, folder)
    assert not done.decisions
    assert (folder / "method" / "config.py").read_bytes() == content(
        build(spec, folder.parent / "afresh").folder
    )["method/config.py"]


def test_a_conflict_holds_both_texts_and_blocks_builds(spec, folder):
    config = folder / "method" / "config.py"
    edit(config, STEPS, "    steps: int = 77")
    done = again(spec, folder)
    [told] = done.decisions
    assert told.code == "X401"
    [found] = [o for o in done.outcomes if o.action is FileAction.CONFLICT]
    lines = config.read_text().split("\n")
    start = found.lines[0] - 1
    assert lines[start] == "<<<<<<< yours"
    mine, _, new = "\n".join(lines[start:]).split(">>>>>>>")[0].split("=======")[0].partition("|||")
    assert "steps: int = 77" in mine
    assert new.startswith("|||| last build\n    steps: int = 8")
    assert "steps: int = 9" in config.read_text()
    assert ">>>>>>> this build" in lines
    before = content(folder)
    for other in (OTHER, FIRST):  # the same spec, or another: nothing is written
        spec.write_text(other)
        code, told = failure(spec, folder)
        assert (code, {d.code for d in told}) == (3, {"X405"})
        assert told[0].span.line == start
        assert content(folder) == before
    spec.write_text(OTHER)
    resolved = [line for line in lines if not line.startswith(("<<<", "|||", "===", ">>>"))]
    config.write_text("\n".join(resolved))
    done = build(spec, folder.parent)
    assert not done.stale
    assert done.paths(FileAction.KEPT) == ("method/config.py",)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_windows_line_endings_merge_without_conflict(end, spec, folder):
    """As an editor on Windows writes them, or git with autocrlf."""
    for path in ("method/config.py", "method/loss.py", ".xlm/lock.json", ".copier-answers.yml"):
        file = folder / path
        file.write_bytes(file.read_bytes().replace(b"\n", end.encode()))
    config = folder / "method" / "config.py"
    mine = config.read_bytes().replace(b"class Config:", b"class Config:  # mine")
    config.write_bytes(mine)
    done = again(spec, folder)
    assert not done.decisions
    assert done.paths(FileAction.MERGED) == ("method/config.py",)
    raw = config.read_bytes()
    assert raw.count(end.encode()) == raw.count(b"\n")
    assert raw.count(b"\r\n") == (raw.count(b"\n") if end == "\r\n" else 0)
    assert b"class Config:  # mine" in raw
    assert b"steps: int = 9" in raw
    assert not build(spec, folder.parent).stale


def test_a_missing_final_newline_and_the_file_mode_are_kept(spec, folder):
    config = folder / "method" / "config.py"
    config.write_text(config.read_text() + "MINE = 1")
    config.chmod(0o750)
    done = again(spec, folder)
    assert not done.decisions
    assert config.read_text().endswith("MINE = 1")
    assert config.stat().st_mode & 0o777 == 0o750


def test_a_deleted_file_is_not_created_again(spec, folder):
    (folder / "tests" / "test_method.py").unlink()
    (folder / "method" / "config.py").rename(folder / "method" / "settings.py")
    moved = (folder / "method" / "settings.py").read_bytes()
    assert build(spec, folder.parent).paths(FileAction.DELETED) == (
        "method/config.py",
        "tests/test_method.py",
    )
    done = again(spec, folder)
    assert codes(done) == ["X406"]
    aside = folder / "method" / "config.py.xlm-new"
    assert b"steps: int = 9" in aside.read_bytes()
    assert (folder / "method" / "settings.py").read_bytes() == moved
    assert not (folder / "method" / "config.py").exists()
    code, told = failure(spec, folder)
    assert (code, [d.code for d in told]) == (3, ["X405"])
    aside.unlink()
    assert not build(spec, folder.parent).stale


def test_a_package_without_visible_files_is_created_again(spec, folder):
    """`rm -r generated/method/*` leaves the files whose names start with a dot."""
    whole = content(folder)
    for path in whole:
        if not path.startswith("."):
            (folder / path).unlink()
    build(spec, folder.parent)
    assert content(folder) == whole


def test_a_user_file_with_the_path_of_a_generated_file(spec, tmp_path):
    file = tmp_path / "method" / "method" / "loss.py"
    file.parent.mkdir(parents=True)
    file.write_text("# mine\n")
    done = build(spec, tmp_path)
    assert codes(done) == ["X401"]
    assert "# mine\n" in file.read_text()
    assert "def cross_entropy" in file.read_text()


def test_an_edited_file_that_is_no_longer_generated_is_kept(spec, folder):
    again(spec, folder, text(sampler="{a: {kind: ancestral, steps: 2}, b: first_hitting}"))
    file = folder / "method" / "sampler_first_hitting.py"
    file.write_text(file.read_text() + "# mine\n")
    mine = file.read_text()
    done = again(spec, folder, FIRST)
    assert codes(done) == ["X407"]
    assert file.read_text() == mine
    assert not build(spec, folder.parent).decisions  # from now on it is the person's
    assert file.read_text() == mine


def test_a_binary_file_is_kept(spec, folder):
    config = folder / "method" / "config.py"
    config.write_bytes(b"\0\xff" * 9)
    assert codes(again(spec, folder)) == ["X406"]
    assert config.read_bytes() == b"\0\xff" * 9


def test_texts_that_are_not_utf_8_merge(spec, folder):
    config = folder / "method" / "config.py"
    config.write_bytes(config.read_bytes() + b"# \xe9\xff\n")
    assert not again(spec, folder).decisions
    assert config.read_bytes().endswith(b"# \xe9\xff\n")


def test_without_git_a_merge_is_rejected(spec, folder, monkeypatch):
    config = folder / "method" / "config.py"
    edit(config, "class Config:", "class Config:  # mine")
    mine = config.read_bytes()
    monkeypatch.setenv("PATH", "")
    done = again(spec, folder)
    assert codes(done) == ["X406"]
    assert config.read_bytes() == mine
    assert b"steps: int = 9" in (folder / "method" / "config.py.xlm-new").read_bytes()


# ---- the record -------------------------------------------------------------------------------


def damaged(record):
    """Invalid records, and records whose texts do not match their sums."""
    yield from (b"", b"{", b"[]", b'{"files": 3}', b"\xff", b"[" * 100_000)
    yield b"<<<<<<< HEAD\n" + record
    files = json.loads(record)
    yield json.dumps(files | {"texts": {"method/loss.py": "# from elsewhere\n"}}).encode()
    files["files"] |= {"../victim": digest(b"mine")}
    yield json.dumps(files).encode()


@pytest.mark.parametrize("which", range(9))
@pytest.mark.parametrize("answers", ["kept", "lost", "of another version", "damaged"])
def test_without_a_record_no_edit_is_lost(which, answers, spec, folder):
    lock, stored = folder / ".xlm" / "lock.json", folder / ".copier-answers.yml"
    lock.write_bytes([*damaged(lock.read_bytes())][which])
    if answers == "lost":
        stored.unlink()
    elif answers == "of another version":
        edit(stored, '"_commit": "', '"_commit": "9.')
    elif answers == "damaged":
        edit(stored, '"modules"', '"moduls"')
    edit(folder / "method" / "config.py", "class Config:", "class Config:  # mine")
    done = again(spec, folder)
    assert [d.code for d in done.warnings] == ["X402"]
    config = (folder / "method" / "config.py").read_text()
    assert "class Config:  # mine" in config
    assert "steps: int = 9" in config
    if answers == "kept":  # the record could be made anew
        assert done.paths(FileAction.MERGED) == ("method/config.py",)
        assert not done.decisions
    else:
        assert "X401" in codes(done)


def test_recorded_laws_in_a_readme_are_not_an_edit(spec, folder, monkeypatch):
    """The template of the README changes between two states of development."""
    readme = folder / "README.md"
    edit(readme, "No verification is recorded yet.", "| law | held |")
    edit(folder / ".copier-answers.yml", '"_commit": "', '"_commit": "9.')
    changed = dict(templates.live())
    changed["package/README.md.jinja"] = "Newer.\n\n" + changed["package/README.md.jinja"]
    monkeypatch.setattr(templates, "live", lambda: changed)
    done = again(spec, folder)
    assert not done.warnings
    assert not done.decisions
    text = readme.read_text()
    assert text.startswith("Newer.\n")
    assert "| law | held |" in text


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_what_a_build_does_with_a_readme_that_has_recorded_laws(ends, spec, folder):
    """The results alone are no edit; a build that changes the README keeps them."""
    readme = folder / "README.md"
    edit(readme, "No verification is recorded yet.", "| law | held |")
    readme.write_bytes(readme.read_bytes().replace(b"\n", ends.encode()))
    before = readme.read_bytes()
    assert [f for f in status(folder).files if f.states] == []
    done = build(spec, folder.parent)
    assert not done.stale
    assert {o.action for o in done.outcomes} == {FileAction.UNCHANGED}
    assert readme.read_bytes() == before
    done = again(spec, folder)
    assert "README.md" in done.paths(FileAction.UPDATED)
    assert f"| law | held |{ends}".encode() in readme.read_bytes()
    assert not build(spec, folder.parent).stale


def test_control_an_edit_beside_recorded_laws(spec, folder):
    edit(folder / "README.md", "No verification is recorded yet.", "| law | held |")
    edit(folder / "README.md", "# ", "# Mine: ")
    [found] = [f for f in status(folder).files if f.path == "README.md"]
    assert found.states == ("edited",)
    assert build(spec, folder.parent).paths(FileAction.KEPT) == ("README.md",)


def test_a_lock_holds_sums_and_no_texts(folder):
    """The record is a small part of the package, and each build changes one file of it."""
    files = content(folder)
    lock = json.loads(files[".xlm/lock.json"])
    state = (".xlm/lock.json", ".copier-answers.yml")
    assert lock["files"] == {p: digest(t) for p, t in files.items() if p not in state}
    assert "texts" not in lock
    assert len(files[".xlm/lock.json"]) < 0.15 * sum(map(len, files.values()))


def test_an_edit_is_merged_if_the_version_of_the_templates_is_unknown(spec, folder):
    """Two states of development: what both render alike is known by its sum."""
    edit(folder / ".copier-answers.yml", '"_commit": "', '"_commit": "9.')
    edit(folder / "method" / "config.py", "class Config:", "class Config:  # mine")
    done = again(spec, folder)
    assert done.paths(FileAction.MERGED) == ("method/config.py",)
    assert not done.warnings
    assert not done.decisions


def test_an_unknown_last_text_leads_to_a_conflict(spec, folder, monkeypatch):
    """The template of one edited file has changed since, and had no version."""
    edit(folder / ".copier-answers.yml", '"_commit": "', '"_commit": "9.')
    for file in ("config", "loss"):
        edit(folder / "method" / f"{file}.py", '"""', '"""Mine. ')
    (folder / "method" / "objective.py").unlink()
    changed = dict(templates.live())
    for file in ("config", "objective"):
        changed[f"package/{{{{ plan.name }}}}/{file}.py.jinja"] += "# newer\n"
    monkeypatch.setattr(templates, "live", lambda: changed)
    done = again(spec, folder)
    [warning] = done.warnings
    assert warning.code == "X402"
    assert "method/config.py, method/objective.py" in warning.message
    assert codes(done) == ["X401", "X406"]  # two texts of the config; the objective was deleted
    config = (folder / "method" / "config.py").read_text()
    assert '"""Mine. ' in config
    assert "steps: int = 9" in config
    assert done.paths(FileAction.KEPT) == ("method/loss.py",)


def test_a_lost_record_of_an_unedited_package(spec, folder):
    whole = content(folder)
    (folder / ".xlm" / "lock.json").unlink()
    build(spec, folder.parent)
    assert content(folder) == whole


def test_a_record_that_names_a_path_outside_deletes_nothing(spec, folder):
    victim = folder.parent / "victim.txt"
    victim.write_text("mine")
    lock = folder / ".xlm" / "lock.json"
    record = json.loads(lock.read_text())
    for path in ("../victim.txt", str(victim)):
        record["files"] = record["files"] | {path: digest(b"mine")}
        lock.write_text(json.dumps(record))
        assert [d.code for d in build(spec, folder.parent).warnings] == ["X402"]
    assert victim.read_text() == "mine"


# ---- the disk ---------------------------------------------------------------------------------


def test_a_link_out_of_the_package_is_not_followed(spec, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "method").symlink_to(outside)
    code, [told] = failure(spec, tmp_path / "method")
    assert (code, told.code) == (1, "X403")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("path", ["method/config.py", ".xlm/lock.json", ".xlm/next"])
def test_a_file_that_is_a_link_out_of_the_package(path, spec, folder):
    target = folder.parent / "elsewhere"
    if (folder / path).exists():
        (folder / path).rename(target)
    else:
        target.mkdir()
    before = target.read_bytes() if target.is_file() else None
    (folder / path).symlink_to(target)
    spec.write_text(OTHER)
    code, [told] = failure(spec, folder)
    assert (code, told.code) == (1, "X403")
    assert (folder / path).is_symlink()
    assert (target.read_bytes() if target.is_file() else None) == before


def test_a_link_within_the_package_is_followed(spec, folder):
    config = folder / "method" / "config.py"
    config.rename(folder / "numbers.py")
    config.symlink_to(folder / "numbers.py")
    assert not again(spec, folder).decisions
    assert config.is_symlink()
    assert "steps: int = 9" in (folder / "numbers.py").read_text()


def test_a_file_where_the_folder_should_be(spec, tmp_path):
    (tmp_path / "method").write_text("a file")
    code, [told] = failure(spec, tmp_path / "method")
    assert (code, told.code) == (1, "X403")
    assert (tmp_path / "method").read_text() == "a file"


def test_a_folder_where_a_file_should_be(spec, folder):
    (folder / "method" / "config.py").unlink()
    (folder / "method" / "config.py").mkdir()
    before = content(folder)
    code, [told] = failure(spec, folder)
    assert (code, told.code) == (1, "X403")
    assert content(folder) == before


# ---- one file, as a function ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("yours", "base", "new", "action", "data"),
    [
        (None, None, b"n", FileAction.CREATED, b"n"),
        (b"n", None, b"n", FileAction.UNCHANGED, None),
        (b"b", b"b", b"n", FileAction.UPDATED, b"n"),
        (b"b\r\n", b"b\n", b"n\n", FileAction.UPDATED, b"n\r\n"),
        (b"y", b"b", b"b", FileAction.KEPT, None),
        (b"n", b"b", b"n", FileAction.UNCHANGED, None),
        (None, b"b", b"b", FileAction.DELETED, None),
        (None, b"b", b"n", FileAction.REJECTED, b"n"),
        (b"b", b"b", None, FileAction.REMOVED, None),
        (b"y", b"b", None, FileAction.ORPHAN, None),
        (None, b"b", None, FileAction.UNCHANGED, None),
        (b"", b"b\n", b"b\nn\n", FileAction.CONFLICT, ...),
        (b"a\n" * 9 + b"y\n", b"a\n" * 9, b"n\n" + b"a\n" * 9, FileAction.MERGED, ...),
        (b"a\r\nb\n", b"a\nb\n", b"a\nn\n", FileAction.UPDATED, b"a\nn\n"),
    ],
)
def test_the_action_for_a_file(yours, base, new, action, data):
    found = outcome("method/f.py", yours, base, new)
    assert found.action is action
    assert data in (..., found.data)


# ---- commands ---------------------------------------------------------------------------------


def run(*words, cwd):
    command = [sys.executable, "-m", "xlm_spec", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.mark.slow
def test_the_commands(spec, tmp_path):
    assert run("build", "--check", spec, cwd=tmp_path).returncode == 1  # stale: nothing there
    assert not (tmp_path / "generated").exists()
    assert run("build", spec, cwd=tmp_path).returncode == 0
    assert run("build", "--check", spec, cwd=tmp_path).returncode == 0
    edit(tmp_path / "generated" / "method" / "method" / "loss.py", "import", "# mine\nimport")
    done = run("build", "--check", spec, cwd=tmp_path)
    assert done.returncode == 0  # a build would change nothing
    assert "your edit kept  method/loss.py" in done.stderr
    edit(tmp_path / "generated" / "method" / "method" / "config.py", STEPS, "    steps: int = 7")
    spec.write_text(OTHER)
    assert run("build", "--check", spec, cwd=tmp_path).returncode == 3
    done = run("build", spec, cwd=tmp_path)
    assert done.returncode == 3
    assert "  conflict        method/config.py:" in done.stderr
    assert "error[X401]: you and this build changed the same lines" in done.stderr
    assert "Traceback" not in done.stderr
    assert run("build", spec, cwd=tmp_path).returncode == 3
    assert run("build", "--check", spec, cwd=tmp_path).returncode == 3


def test_the_stages_of_a_build(spec, tmp_path):
    plan = json.loads(run("build", "--emit", "plan", spec, cwd=tmp_path).stdout)
    assert plan["name"] == "method"
    assert plan["config"]["fields"][0]["name"] == "noise"
    answers = run("lower", spec, cwd=tmp_path).stdout  # the plan as lines
    assert "    noise: Noise = Noise()" in json.loads(answers)["ir"]["config"]["lines"]
    assert run("lower", spec, "-o", tmp_path / "plan.yml", cwd=tmp_path).stdout == ""
    assert (tmp_path / "plan.yml").read_text() == answers
    method = json.loads(run("build", "--emit", "method", spec, cwd=tmp_path).stdout)
    assert method["objective"][-1] == "hidden = model(z.tokens, z.valid, read=z.read)  # (B, L, D)"
    assert method["terms"]["cross_entropy"]["nats"] == "cross_entropy(model, hidden, target)"
    assert (
        "for t, s in time_grid(state, steps=config.sampler.steps):"
        in (method["samplers"]["ancestral"]["lines"])
    )
    stage = json.loads(run("build", "--emit", "spec", spec, cwd=tmp_path).stdout)
    assert stage["inferred"]["likelihood"] == "objective"
    assert "==> method/loss.py <==" in run("build", "--emit", "files", spec, cwd=tmp_path).stdout
    assert not (tmp_path / "generated").exists()


@pytest.mark.slow
def test_status(spec, tmp_path):
    def status(*words):
        done = run("status", *words, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    assert status()[0] == 1
    assert "error[X410]" in status()[2]
    run("build", spec, cwd=tmp_path)
    package = tmp_path / "generated" / "method"
    assert status() == (0, "generated/method: clean\n", "")
    edit(package / "method" / "config.py", STEPS, "    steps: int = 7")
    edit(package / "method" / "loss.py", "import", "# mine\nimport")
    (package / "README.md").unlink()
    assert status(package)[1].split("\n")[1:4] == [
        "  deleted  README.md",
        "  edited   method/config.py",
        "  edited   method/loss.py",
    ]
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "method.yaml").write_text(OTHER)
    code, out, _ = status("--json")
    [told] = json.loads(out)
    found = {f["file"]: f["status"] for f in told["files"]}
    assert (code, told["spec"]) == (0, "specs/method.yaml")
    assert found["method/config.py"] == ["edited", "stale"]
    assert found["method/loss.py"] == ["edited"]
    assert found["README.md"] == ["deleted", "stale"]
    assert found["method/noise.py"] == ["stale"]
    assert found["method/objective.py"] == ["clean"]
    run("build", tmp_path / "specs" / "method.yaml", cwd=tmp_path)
    code, out, _ = status("--json")
    found = {f["file"]: f for f in json.loads(out)[0]["files"]}
    assert code == 3
    assert found["method/config.py"]["status"] == ["conflicted"]
    assert found["method/config.py"]["lines"]
    assert found["README.md"]["status"] == ["conflicted"]  # its text was rejected
    (tmp_path / "specs" / "method.yaml").write_text("xlm_spec: 1\n")
    code, out, err = status()
    assert code == 3  # what it knows without the spec, and what is wrong with that
    assert "error[X103]" in err


def test_a_package_that_git_ignores_causes_a_warning(spec, tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("generated/\n")
    done = run("build", spec, cwd=tmp_path)
    assert done.returncode == 0
    assert "warning[X408]: git ignores this package" in done.stderr
    assert "warning[X408]" in run("status", cwd=tmp_path).stderr
    (tmp_path / ".gitignore").unlink()
    assert "X408" not in run("build", spec, cwd=tmp_path).stderr
    assert os.listdir(tmp_path / "generated") == ["method"]


def test_an_edit_of_the_readme_with_samplers_in_any_order(tmp_path):
    """The record keeps the order of samplers: the last build's text can be restored."""
    spec = tmp_path / "method.yaml"
    samplers = "{zigzag: first_hitting, ancestral: {kind: ancestral, steps: 8}}"
    spec.write_text(text(sampler=samplers))
    folder = build(spec, tmp_path / "out").folder
    readme = folder / "README.md"
    assert "Samplers: zigzag, ancestral (the first is the default" in readme.read_text()
    readme.write_text(readme.read_text() + "\nMy note.\n")
    assert status(folder).warnings == ()
    spec.write_text(text(sampler=samplers, noise="{process: mask, schedule: cosine}"))
    build(spec, tmp_path / "out")
    now = readme.read_text()
    assert now.endswith("\nMy note.\n")
    assert "cosine" in now
    assert "<<<<" not in now
