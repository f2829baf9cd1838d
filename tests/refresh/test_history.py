"""Releases of the templates stay what they were; the bundle that carries them is reproducible."""

import os
import shutil
import subprocess
import sys

import pytest
from methods import ROOT
from packages import HOOK, module
from packaging.version import Version

from xlm_spec import __version__
from xlm_spec.compiler.emit import templates
from xlm_spec.compiler.emit.layout import laid_out
from xlm_spec.compiler.emit.render import rendered
from xlm_spec.compiler.plan import plan_of
from xlm_spec.refresh import store

RELEASE = module(ROOT / "tools" / "release.py")


def test_releases_are_what_was_released():
    assert templates.releases()
    assert RELEASE.problems() == []


@pytest.mark.parametrize("change", ["a file more", "a character", "a release gone", "no sum"])
def test_control_a_release_that_was_touched_is_noticed(change, tmp_path, monkeypatch):
    history = tmp_path / "history"
    shutil.copytree(templates.HISTORY, history)
    monkeypatch.setattr(templates, "HISTORY", history)
    monkeypatch.setattr(RELEASE, "SUMS", history / "sums.json")
    assert RELEASE.problems() == []
    first = history / templates.releases()[0]
    if change == "a file more":
        (first / "package" / "more.jinja").write_text("")
    elif change == "a character":
        file = first / "copier.yml"
        file.write_text(file.read_text() + "\n")
    elif change == "a release gone":
        shutil.rmtree(first)
    else:
        (history / "sums.json").write_text("{}")
    assert RELEASE.problems()


def test_control_a_file_that_is_made_no_more_is_noticed(monkeypatch):
    """`copier update` would delete it, edits and all; `_exclude` keeps it."""
    live = dict(templates.live())
    del live["package/README.md.jinja"]
    monkeypatch.setattr(templates, "live", lambda: live)
    assert any("drops package/README.md.jinja" in p for p in RELEASE.problems())
    live["copier.yml"] += "_exclude: [README.md]\n"
    assert RELEASE.problems() == []


def test_control_templates_that_change_under_a_released_version(monkeypatch):
    monkeypatch.setattr(RELEASE, "__version__", templates.releases()[0])
    monkeypatch.setattr(templates, "version", lambda: "0.0.1.dev7")
    assert any("raise __version__" in p for p in RELEASE.problems())


def test_a_state_of_development_has_a_version_of_its_content(monkeypatch):
    seen = set()
    for more in ("", "x", "y"):
        monkeypatch.setattr(templates, "live", lambda more=more: {"copier.yml": more})
        templates.version.cache_clear()
        seen.add(templates.version())
    monkeypatch.undo()
    templates.version.cache_clear()
    assert len(seen) == 3
    last, coming = Version(templates.releases()[-1]), Version(__version__)
    assert all(last < Version(v) < Version(coming.base_version) for v in seen)
    assert not any(Version(v).is_prerelease for v in seen)  # copier leaves those out


@pytest.mark.parametrize("version", templates.releases())
def test_a_release_still_renders(version):
    """Plans of today, too: a newer key is one that its templates do not read."""
    ir = laid_out(plan_of(ROOT / "specs" / "mdlm.yaml"))
    files = rendered(ir, templates.released(version), version)
    assert b"def objective" in files["mdlm/objective.py"]


def test_the_bundle_is_a_repository_with_a_tag_for_each_version(tmp_path):
    bundle = tmp_path / "templates.bundle"
    HOOK.write(bundle, HOOK.versions())
    subprocess.run(["git", "clone", "-q", bundle, tmp_path / "clone"], check=True)
    tags = ["git", "-C", tmp_path / "clone", "tag"]
    found = subprocess.run(tags, capture_output=True, text=True, check=True).stdout.split()
    assert {*found} == {*templates.releases(), templates.version()}
    for version in found:
        checkout = ["git", "-C", tmp_path / "clone", "checkout", "-q", version]
        subprocess.run(checkout, check=True)
        files = [p for p in (tmp_path / "clone").rglob("*") if ".git" not in p.parts]
        assert templates.tree(tmp_path / "clone", files) == templates.of(version)
    assert store.versions(bundle) == {v.encode() for v in found}


def test_the_bundle_is_the_same_every_time(tmp_path):
    script = "import sys, hatch_build as h; from pathlib import Path\n"
    script += "h.write(Path(sys.argv[1]), h.versions())"
    made = []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", script, tmp_path / seed]
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC{seed}"}
        subprocess.run(command, cwd=ROOT, env=env, check=True)
        made.append((tmp_path / seed).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("made", [True, False])
def test_the_link_leads_to_the_bundle_that_holds_more(made, tmp_path, monkeypatch):
    """Two installed versions, used by turns."""
    trees = {v: {"copier.yml": v} for v in ("0.1.0", "0.2.0", "0.2.0.post1", "0.2.0.post2")}
    bundles = {}
    for name, tags in {
        "old": ["0.1.0"],
        "new": ["0.1.0", "0.2.0"],
        "one": ["0.1.0", "0.2.0", "0.2.0.post1"],
        "two": ["0.1.0", "0.2.0", "0.2.0.post2"],
    }.items():
        bundles[name] = tmp_path / name
        HOOK.write(bundles[name], {t: trees[t] for t in tags})
    link = tmp_path / ".local" / "share" / "xlm-spec" / "templates.bundle"
    monkeypatch.setenv("HOME", str(tmp_path))
    if not made:  # where people may not make links

        def refused(self, target):
            raise OSError

        monkeypatch.setattr(type(tmp_path), "symlink_to", refused)
    steps = [("old", "old"), ("new", "new"), ("old", "new"), ("one", "one"), ("new", "one")]
    for ours, expected in [*steps, ("two", "two"), ("one", "one")]:
        monkeypatch.setattr(store, "OURS", bundles[ours])
        store.keep()
        assert link.is_symlink() == made
        assert link.read_bytes() == bundles[expected].read_bytes()
    held = link.read_bytes()
    bundles["one"].unlink()  # an environment that is gone
    monkeypatch.setattr(store, "OURS", bundles["old"])
    store.keep()
    assert link.read_bytes() == (bundles["old"].read_bytes() if made else held)


def test_a_home_that_can_not_be_written_is_no_matter(tmp_path, monkeypatch):
    (tmp_path / ".local").write_text("a file")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(store, "OURS", tmp_path / "bundle")
    HOOK.write(tmp_path / "bundle", {"0.1.0": {"copier.yml": ""}})
    store.keep()
    assert (tmp_path / ".local").read_text() == "a file"
