"""Runs everything that a page shows, in order.

```sh must succeed. ```console shows commands behind `$` and their exact output. ```yaml and
```python are written to, added to or found in the file that the text before them names ("Write
`f`:", "Add to `f`:", "`f` holds:"). ```text is not run.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import warm_python
from methods import ROOT

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
SAID = [
    ("write", re.compile(r"(?:[Ww]rite|Begin) `([^`]+)`:\s*$")),
    ("add", re.compile(r"Add to `([^`]+)`:\s*$")),
    ("holds", re.compile(r"`([^`]+)`\s(?:also )?holds[^.`]*:\s*$")),
]


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    action: str  # what the text before it says: write, add, holds; "" where it says nothing
    file: str
    place: tuple[int, int]  # of the text within the page


def blocks(page: str, language: str) -> list[str]:
    return [b.text for b in shown(page) if b.language == language]


def shown(page: str) -> list[Block]:
    """Every block of code on a page."""
    found, end = [], 0
    for fence in FENCE.finditer(page):
        before, end = page[end : fence.start()], fence.end()
        said = [(a, m[1]) for a, r in SAID if (m := r.search(before))]
        action, file = said[0] if said else ("", "")
        found.append(Block(fence["language"], fence["text"], action, file, fence.span("text")))
    return found


def shell(
    script: str, folder: Path, cold: bool = False, **more: str
) -> subprocess.CompletedProcess:
    """Runs a block of commands in a shell that stops at the first failure.

    `cold`: in interpreters that import all libraries themselves.
    """
    first = [] if cold else [warm_python.bin_folder()]
    path = os.pathsep.join(map(str, [*first, Path(sys.executable).parent, os.environ["PATH"]]))
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path} | more,
    )


def follow(page: str, folder: Path, **more: str) -> str:
    """Follows a page in `folder`; returns the page with the current output of its commands."""
    at, out, end = folder, [], 0
    for block in shown(page):
        text = block.text
        if block.action:
            act(block, at)
        elif block.language == "sh":
            done = shell(f"{text}\npwd > '{folder}/.at'", at, **more)
            assert done.returncode == 0, text + done.stdout + done.stderr
            assert "Traceback" not in done.stderr
            at = Path((folder / ".at").read_text().strip())
        elif block.language == "console":
            text = printed(text, at, **more)
        else:
            assert block.language == "text", f"nothing tests this block:\n{text}"
        out += [page[end : block.place[0]], text]
        end = block.place[1]
    return "".join([*out, page[end:]])


def act(block: Block, folder: Path) -> None:
    """Writes, extends or checks the file that the text before a block names."""
    file = folder / block.file
    if block.action == "holds":
        assert block.text in file.read_text(), f"{block.file} does not hold:\n{block.text}"
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    before = f"{file.read_text()}\n" if block.action == "add" else ""
    file.write_text(before + block.text)


def printed(session: str, folder: Path, **more: str) -> str:
    """A session with the current output of its commands."""
    out = ""
    for line in session.splitlines(keepends=True):
        if line.startswith("$ "):
            done = shell(f"({line[2:]}) 2>&1", folder, **more)
            out += line + done.stdout
    return out


def installed_copy(place: Path) -> Path:
    """A copy of the repository with the bundle that an installation contains."""
    copy = copy_of_the_repository(place)
    env = os.environ | {"PYTHONPATH": str(copy)}
    subprocess.run([sys.executable, "hatch_build.py"], cwd=copy, env=env, check=True)
    return copy


def keep_packages(copy: Path, *names: str) -> None:
    """Removes the other specs and packages of a copy: `make regen` verifies each for seconds."""
    for spec in (copy / "specs").glob("*.yaml"):
        if spec.stem not in names:
            spec.unlink()
            shutil.rmtree(copy / "generated" / spec.stem)


def copy_of_the_repository(place: Path) -> Path:
    """A copy of all tracked and new files, with a link to the environment."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place / name)
            os.utime(place / name, (0, 0))  # older than the environment: make sets nothing up
    (place / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return place
