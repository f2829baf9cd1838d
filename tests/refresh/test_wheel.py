"""From the wheel, and without a network: build, edit, change the spec, upgrade by copier, build."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from code_blocks import copy_of_the_repository
from packages import content, edit

from xlm_spec.compiler.emit import templates

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
ALONE = ["unshare", "-rn"]  # no network, where we may ask for that
if subprocess.run([*ALONE, "true"], capture_output=True).returncode:
    ALONE = []


def wheel(tree: Path, into: Path) -> Path:
    command = [BIN / "hatchling", "build", "-t", "wheel", "-d", into]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    [made] = into.glob("*.whl")
    return made


def installed(made: Path, into: Path) -> Path:
    """The wheel alone, before all else on the path."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    subprocess.run([*command, "--target", into, made], check=True, capture_output=True)
    return into


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """This state's source; this compiler with the templates of the first and the last release."""
    place = tmp_path_factory.mktemp("source")
    releases = templates.releases()
    made = {n: copy_of_the_repository(place / n) for n in ("as it is", "then", "now")}
    pinned(made["then"], releases[:1])
    pinned(made["now"], releases)
    return made


def pinned(tree: Path, known: list[str]) -> None:
    """As if the last of these releases had just been made."""
    folder, last = tree / "templates", known[-1]
    for other in {*templates.releases()} - {*known}:
        shutil.rmtree(folder / "history" / other)
    for part in [p for p in folder.iterdir() if p.name not in ("components", "history")]:
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    shutil.copytree(folder / "history" / last, folder, dirs_exist_ok=True)
    edit(tree / "xlm_spec" / "__init__.py", '__version__ = "', f'__version__ = "{last}"  # "')


@pytest.fixture(scope="module")
def environments(trees, tmp_path_factory):
    place = tmp_path_factory.mktemp("wheels")
    return {n: installed(wheel(trees[n], place / n), place / f"{n}_lib") for n in ("then", "now")}


def test_two_wheels_of_one_state_are_the_same_bytes(trees, tmp_path):
    """The second is built in another folder, from a source distribution."""
    one = wheel(trees["as it is"], tmp_path / "one").read_bytes()
    command = [BIN / "hatchling", "build", "-t", "sdist", "-d", tmp_path / "sdist"]
    subprocess.run(command, cwd=trees["as it is"], check=True, capture_output=True)
    [archive] = (tmp_path / "sdist").glob("*.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
    [tree] = (tmp_path / "unpacked").iterdir()
    assert one == wheel(tree, tmp_path / "two").read_bytes()


def test_a_package_from_its_first_build_to_an_upgrade(environments, tmp_path):
    env = os.environ | {"HOME": str(tmp_path / "home")}

    def run(*words, lib="then", cwd=tmp_path):
        done = subprocess.run(
            [*ALONE, *map(str, words)],
            cwd=cwd,
            env=env | {"PYTHONPATH": str(environments[lib])},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def spec_tool(*words, **more):
        return run(sys.executable, "-m", "xlm_spec", *words, **more)

    first, *_, last = templates.releases()
    assert first in spec_tool("--version")
    assert last in spec_tool("--version", lib="now")
    (tmp_path / "home").mkdir()
    run("git", "init", "-q", ".")
    spec_tool("new", "mdlm")
    run("git", "add", "-A")
    run("git", "commit", "-qm", "built")
    package = tmp_path / "generated" / "mdlm"
    edit(package / "mdlm" / "loss.py", "import", "# mine\nimport")
    edit(package / "mdlm" / "config.py", "    vocab: Vocab", "    vocab: Vocab  # mine")
    edit(package / "README.md", "## The method", "Mine.\n\n## The method")
    edit(tmp_path / "specs" / "mdlm.yaml", "steps: 128", "steps: 99")
    assert "merged          mdlm/config.py" in spec_tool("build", "specs/mdlm.yaml")
    run("git", "add", "-A")
    run("git", "commit", "-qm", "changed")
    spec_tool("lower", "specs/mdlm.yaml", lib="now")  # leads copier to the newer templates
    run(BIN / "copier", "update", lib="now", cwd=package)
    now = {p: t.decode() for p, t in content(package).items()}
    assert f'"_commit": "{last}"' in now[".copier-answers.yml"]
    assert "# mine" in now["mdlm/loss.py"]
    assert "vocab: Vocab  # mine" in now["mdlm/config.py"]
    assert "steps=99" in now["mdlm/config.py"]
    assert "Mine." in now["README.md"]
    assert "a backbone and heads" in now["mdlm/model.py"]  # of the newer templates
    spec_tool("build", "specs/mdlm.yaml", lib="now")
    assert {p: t.decode() for p, t in content(package).items()} == now
