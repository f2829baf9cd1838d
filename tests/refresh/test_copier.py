"""Plain `copier update`, offline: what it brings, what it keeps, and what it can't protect.

The hazards are recorded as copier 9.19 treats them, so that another copier is noticed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from methods import ROOT, text
from packages import HOOK, content, edit
from scheduling import shares

from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import COMPONENTS
from xlm_spec.compiler.emit import templates
from xlm_spec.compiler.emit.layout import laid_out
from xlm_spec.compiler.emit.render import rendered
from xlm_spec.compiler.plan import answers_of, plan_of
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh import store
from xlm_spec.refresh.outcome import FileAction
from xlm_spec.refresh.package import refresh
from xlm_spec.refresh.status import status

pytestmark = pytest.mark.slow

FIRST = text(sampler="{kind: ancestral, steps: 8}")
OTHER = text(sampler="{kind: ancestral, steps: 9}", noise="{process: mask, schedule: cosine}")
TWO = text(sampler="{a: {kind: ancestral, steps: 8}, b: first_hitting}")
NEWER = "a backbone and heads"  # in model.py, since 0.4.0
STEPS = "    steps: int = 8"
COPIER = Path(sys.executable).with_name("copier")
IDENTITY = {
    f"GIT_{who}_{what}": "n@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


@pytest.fixture(scope="module", autouse=True)
def bundle(tmp_path_factory):
    """What a wheel carries, where packages look for it."""
    made = tmp_path_factory.mktemp("wheel") / "templates.bundle"
    HOOK.write(made, HOOK.versions())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(made.parent))
        patch.setattr(store, "OURS", made)
        store.keep()
        yield made


@pytest.fixture
def spec(tmp_path):
    file = tmp_path / "method.yaml"
    file.write_text(FIRST)
    return file


def by_release(version, spec, into):
    """A build by a release: its templates, and its plan."""
    ir = laid_out(plan_of(spec))
    folder = into / ir["name"]
    return refresh(folder, rendered(ir, templates.released(version), version))


def git(folder, *words):
    command = ["git", "-C", folder, "-c", "core.autocrlf=false", *words]
    return subprocess.run(command, check=True, capture_output=True)


def commit(folder):
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "work")


def update(folder, *words, **more):
    """`copier update` without a terminal, and without a network: (exit code, stderr)."""
    command = [COPIER, "update", *map(str, words)]
    env = os.environ | {"GIT_ALLOW_PROTOCOL": "file"} | more
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env
    )
    return done.returncode, done.stderr


def lowered(spec):
    """What `xlm-spec lower SPEC -o FILE` writes."""
    file = spec.with_name("plan.yml")
    file.write_text(answers_of(spec))
    return file


@pytest.fixture
def package(spec, tmp_path):
    """Built by the first release, and committed."""
    folder = by_release("0.3.0", spec, tmp_path / "work").folder
    commit(folder)
    return folder


# ---- a fresh package -------------------------------------------------------------------------


def test_a_fresh_package_is_up_to_date(spec, tmp_path):
    """Built by this state, a release or not; a changed spec comes with its plan."""
    folder = build(spec, tmp_path / "work").folder
    commit(folder)
    before = content(folder)
    code, err = update(folder)
    assert code == 0, err
    assert {p: t for p, t in content(folder).items() if not p.startswith(".git/")} == {
        p: t for p, t in before.items() if not p.startswith(".git/")
    }
    edit(folder / "method" / "loss.py", "import", "# mine\nimport")
    commit(folder)
    spec.write_text(OTHER)
    code, err = update(folder, "--data-file", lowered(spec))
    assert code == 0, err
    now = content(folder)
    assert b"# mine" in now["method/loss.py"]
    assert b"steps: int = 9" in now["method/config.py"]


# ---- what it brings ---------------------------------------------------------------------------


def test_an_upgrade_keeps_everything_and_a_build_then_is_a_no_op(spec, package):
    edit(package / "method" / "loss.py", "import", "# mine\nimport")
    edit(package / "method" / "config.py", "    vocab: Vocab", "    vocab: Vocab  # mine")
    edit(package / "README.md", "## The method", "Mine.\n\n## The method")
    spec.write_text(OTHER)
    assert not by_release("0.3.0", spec, package.parent).decisions
    commit(package)
    code, err = update(package)
    assert code == 0, err
    now = {p: t.decode() for p, t in content(package).items() if not p.startswith(".git/")}
    assert f'"_commit": "{templates.version()}"' in now[".copier-answers.yml"]
    assert "# mine" in now["method/loss.py"]
    assert "vocab: Vocab  # mine" in now["method/config.py"]
    assert "Mine." in now["README.md"]
    assert "steps: int = 9" in now["method/config.py"]
    assert NEWER in now["method/model.py"]
    done = build(spec, package.parent)
    assert {o.action for o in done.outcomes} == {FileAction.UNCHANGED, FileAction.KEPT}
    assert not build(spec, package.parent).stale


def test_a_spec_change_comes_with_a_data_file(spec, package):
    edit(package / "method" / "loss.py", "import", "# mine\nimport")
    commit(package)
    spec.write_text(OTHER)
    code, err = update(package, "--data-file", lowered(spec))
    assert code == 0, err
    assert "# mine" in (package / "method" / "loss.py").read_text()
    assert "steps: int = 9" in (package / "method" / "config.py").read_text()
    assert not build(spec, package.parent).decisions


@pytest.mark.parametrize(
    "file", shares(sorted((ROOT / "specs").glob("*.yaml")), 4), ids=lambda p: p.stem
)
def test_both_engines_write_the_same_bytes(file, tmp_path):
    """Of one plan, for every spec; from the bundle, with its version."""
    same_bytes(file, tmp_path)


def test_both_engines_carry_custom_components_and_their_laws(tmp_path):
    (tmp_path / "mine.py").write_text((COMPONENTS / "count" / "uniform.py").read_text())
    (tmp_path / "mine_law.py").write_text('"""{{ Its }} {% laws %}."""\n')
    (tmp_path / "method.yaml").write_text(text(noise="{process: mask, count: ./mine.py}"))
    assert {"mine.py", "tests/mine_law.py"} <= {*same_bytes(tmp_path / "method.yaml", tmp_path)}


def same_bytes(file, tmp_path) -> dict[str, bytes]:
    """What both write."""
    plan = tmp_path / "plan.yml"
    plan.write_text(answers_of(file))
    command = [COPIER, "copy", "--quiet", "--data-file", plan, "--vcs-ref", templates.version()]
    command += [store.BUNDLE, tmp_path / "copied"]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    built = build(file, tmp_path / "built").folder
    made = content(built)
    assert content(tmp_path / "copied") == made
    return made


def test_two_environments_by_turns(spec, package):
    """0.3.0 and 0.4.0, with an edit before each build: everything stays."""
    notes = []
    for i, (version, steps) in enumerate(
        [("0.4.0", 9), ("0.3.0", 10), ("0.4.0", 11), ("0.3.0", 12)]
    ):
        note = f"# note {i}"
        edit(package / "method" / "loss.py", "import", f"{note}\nimport")
        notes.append(note)
        spec.write_text(text(sampler=f"{{kind: ancestral, steps: {steps}}}"))
        done = by_release(version, spec, package.parent)
        assert not done.decisions
        assert all(n in (package / "method" / "loss.py").read_text() for n in notes)
        assert f"steps: int = {steps}" in (package / "method" / "config.py").read_text()
        newer = NEWER in (package / "method" / "model.py").read_text()
        assert newer == (version == "0.4.0")
        assert not by_release(version, spec, package.parent).stale


def test_a_plan_of_another_version_is_refused_before_anything_is_written(package):
    edit(package / ".copier-answers.yml", '"ir_version": 1', '"ir_version": 2')
    commit(package)
    before = content(package / "method")
    code, err = update(package)
    assert code != 0
    assert "render plans of version 1" in err or "PLAN_OF_ANOTHER_VERSION" in err
    assert content(package / "method") == before


# ---- the hazards ------------------------------------------------------------------------------


def test_a_conflict_ends_in_exit_0_and_status_tells_it(spec, package):
    edit(package / "method" / "config.py", STEPS, "    steps: int = 77")
    commit(package)
    spec.write_text(OTHER)
    assert update(package, "--data-file", lowered(spec))[0] == 0
    config = (package / "method" / "config.py").read_text()
    assert "<<<<<<< before updating" in config
    assert "steps: int = 77" in config
    assert "steps: int = 9" in config
    assert status(package).conflicted
    with pytest.raises(Failed) as failed:
        build(spec, package.parent)
    assert failed.value.exit_code == 3
    assert failed.value.diagnostics[0].code == "X405"


def test_in_an_ignored_package_edits_are_lost(spec, package):
    edit(package / "method" / "config.py", "    vocab: Vocab", "    vocab: Vocab  # mine")
    above = package.parent
    subprocess.run(["rm", "-rf", package / ".git"], check=True)
    (above / ".gitignore").write_text("method/\n")
    commit(above)
    spec.write_text(OTHER)
    assert [d.code for d in status(package).warnings] == ["X408"]
    assert update(package, "--data-file", lowered(spec))[0] == 0
    assert "# mine" not in (package / "method" / "config.py").read_text()


def test_a_build_of_an_ignored_package_merges_and_warns(spec, package):
    edit(package / "method" / "config.py", "    vocab: Vocab", "    vocab: Vocab  # mine")
    subprocess.run(["rm", "-rf", package / ".git"], check=True)
    (package.parent / ".gitignore").write_text("method/\n")
    commit(package.parent)
    spec.write_text(OTHER)
    done = build(spec, package.parent)
    assert [d.code for d in done.warnings] == ["X408"]
    assert "# mine" in (package / "method" / "config.py").read_text()


def test_an_edited_file_that_is_no_longer_made_is_deleted(spec, tmp_path):
    """A build keeps it (X407)."""
    spec.write_text(TWO)
    folder = by_release("0.3.0", spec, tmp_path / "work").folder
    edit(folder / "method" / "sampler_first_hitting.py", "import", "# mine\nimport")
    commit(folder)
    spec.write_text(FIRST)
    assert update(folder, "--data-file", lowered(spec))[0] == 0
    assert not (folder / "method" / "sampler_first_hitting.py").exists()


def test_what_changes_in_a_file_that_was_moved_is_skipped(spec, package):
    """A build sets it aside (X406)."""
    (package / "method" / "config.py").rename(package / "method" / "settings.py")
    commit(package)
    spec.write_text(OTHER)
    assert update(package, "--data-file", lowered(spec))[0] == 0
    assert not (package / "method" / "config.py").exists()
    assert "steps: int = 9" not in (package / "method" / "settings.py").read_text()


def test_a_file_that_both_add_gets_markers(spec, package):
    (package / "method" / "sampler_first_hitting.py").write_text("# mine\n")
    commit(package)
    spec.write_text(TWO)
    assert update(package, "--data-file", lowered(spec))[0] == 0
    added = (package / "method" / "sampler_first_hitting.py").read_text()
    assert "# mine" in added
    assert "<<<<<<< before updating" in added


def test_other_ends_of_lines_are_a_conflict(spec, package):
    """To a build they are none."""
    config = package / "method" / "config.py"
    config.write_bytes(config.read_bytes().replace(b"\n", b"\r\n"))
    commit(package)
    spec.write_text(OTHER)
    assert update(package, "--data-file", lowered(spec))[0] == 0
    assert b"<<<<<<< before updating" in config.read_bytes()


@pytest.mark.parametrize("state", ["dirty", "no repository", "no git"])
def test_where_it_refuses_nothing_is_changed(state, spec, package):
    """A build merges all the same; without git it sets aside what it would have to merge."""
    edit(package / "method" / "config.py", "    vocab: Vocab", "    vocab: Vocab  # mine")
    more = {}
    if state != "dirty":
        commit(package)
    if state == "no repository":
        subprocess.run(["rm", "-rf", package / ".git"], check=True)
    if state == "no git":
        more = {"PATH": ""}
    before = content(package)
    spec.write_text(OTHER)
    assert update(package, "--data-file", lowered(spec), **more)[0] != 0
    assert content(package) == before
    assert not build(spec, package.parent).decisions
    config = (package / "method" / "config.py").read_text()
    assert "vocab: Vocab  # mine" in config
    assert "steps: int = 9" in config


def test_a_users_component_travels(tmp_path):
    """A package that left home is built again from what it carries."""
    from code_blocks import blocks

    guide = (ROOT / "docs" / "guides" / "component.md").read_text()
    (tmp_path / "window.yaml").write_text(blocks(guide, "yaml")[0])
    (tmp_path / "window_mask.py").write_text(blocks(guide, "python")[0])
    folder = build(tmp_path / "window.yaml", tmp_path / "home").folder
    away = folder.rename(tmp_path / "window")
    assert (away / "window_mask.py").read_text() == blocks(guide, "python")[0]
    done = build(away / "spec.yaml", tmp_path)
    assert not done.stale
    assert json.loads(answers_of(away / "spec.yaml"))["ir"]["parts"]["process/window_mask/corrupt"]
