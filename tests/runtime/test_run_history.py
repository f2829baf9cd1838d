"""history.json: what a run folder says about each start of the run."""

import json
import subprocess
from importlib.metadata import version

import pytest
from package_runs import TINY, run

from xlm_spec import __version__
from xlm_spec.runtime.training.history import git_state, read, recorded


@pytest.fixture
def repository(tmp_path):
    home = tmp_path / "code"
    home.mkdir()
    (home / "a.py").write_text("x = 1\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-C", home, *words], check=True)
    return home


def test_the_state_of_a_repository(repository, tmp_path):
    clean = git_state(repository, tmp_path / "d.diff")
    assert len(clean["commit"]) == 40
    assert (clean["changed"], clean["untracked"]) == (False, [])
    assert not (tmp_path / "d.diff").exists()
    (repository / "a.py").write_text("x = 2\n")
    (repository / "b.py").write_text("")
    changed = git_state(repository, tmp_path / "d.diff")
    assert changed["commit"] == clean["commit"]
    assert changed["untracked"] == ["b.py"]
    assert "+x = 2" in (tmp_path / "d.diff").read_text()
    subprocess.run(["git", "-C", repository, "stash", "-q"], check=True)
    subprocess.run(["git", "-C", repository, "apply", tmp_path / "d.diff"], check=True)
    assert (repository / "a.py").read_text() == "x = 2\n"  # the run can be restored
    assert git_state(tmp_path, tmp_path / "d.diff") is None


def test_starts_of_a_run(repository, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with recorded(folder, repository, ["python", "-m", "m"], devices=2):
        [open_] = read(folder)
        assert "ended" not in open_
        (folder / "config.yaml").write_text("")
    with pytest.raises(SystemExit), recorded(folder, repository, ["again"]):
        raise SystemExit(130)
    first, second = read(folder)
    assert (first["outcome"], second["outcome"]) == ("finished", "stopped")
    assert first["device_seconds"] == pytest.approx(2 * first["wall_seconds"], abs=2e-3)
    assert second["command"] == ["again"]
    assert first["versions"]["xlm-spec"] == __version__
    assert first["versions"]["torch"] == version("torch")
    assert first["hardware"]["cores"] > 0
    assert len(first["git"]["commit"]) == 40


def test_a_start_that_fails_before_it_trains_leaves_nothing(repository, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (repository / "a.py").write_text("x = 2\n")
    with pytest.raises(ValueError, match="bad"), recorded(folder, repository, []):
        raise ValueError("bad")
    assert [*folder.iterdir()] == []


@pytest.mark.slow
def test_a_run_and_its_card(tmp_path):
    words = [*TINY, "--steps", 4, "--set", "train.evaluate_every=4", "--run", tmp_path / "run"]
    run("mdlm", "train", *words)
    run("mdlm", "train", "--run", tmp_path / "run", "--resume", "--steps", 6)
    starts = json.loads((tmp_path / "run" / "history.json").read_text())
    assert [s["outcome"] for s in starts] == ["finished"] * 2
    assert starts[0]["command"][:4] == ["python", "-m", "mdlm", "train"]
    assert starts[1]["command"][-2:] == ["--steps", "6"]
    run("mdlm", "export", "--run", tmp_path / "run", "--to", tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"torch {version('torch')}" in card
    assert "| device hours | 0.0" in card
    assert str(tmp_path) not in card
