"""Freezes the templates of a release: `python tools/release.py`, after setting `__version__`.

`templates/history/<version>/` is what `copier update` and damaged records are merged from, for
ever; its sum is written beside it, and a test compares them. Packages are then built anew.
"""

import hashlib
import json
import sys
from itertools import pairwise
from pathlib import Path

from xlm_spec import __version__
from xlm_spec.compiler import templates

SUMS = templates.HISTORY / "sums.json"  # {version: sha256 of its tree}


def sum_of(tree: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def sums() -> dict[str, str]:
    return json.loads(SUMS.read_text(encoding="utf-8")) if SUMS.exists() else {}


def problems() -> list[str]:
    """What is not as it was released, or could not be released as it is."""
    known, found = sums(), templates.releases()
    wrong = [f"{v} is not what was released" for v in found if known.get(v) != tree_sum(v)]
    wrong += [f"{v} is gone" for v in known if v not in found]
    wrong += [f"{v} drops {p}: add it to _exclude in copier.yml" for v, p in dropped()]
    if __version__ in found and templates.version() != __version__:
        wrong.append(f"the templates differ from release {__version__}: raise __version__")
    if found and templates.numbers(__version__.partition(".dev")[0]) < templates.numbers(found[-1]):
        wrong.append(f"__version__ is older than release {found[-1]}")
    return wrong


def dropped() -> list[tuple[str, str]]:
    """(version, path) of what a later state makes no more: copier would delete it, with edits."""
    trees = {v: templates.released(v) for v in templates.releases()} | {
        "this state": templates.live()
    }
    return [
        (after, path)
        for (before, after) in pairwise(trees)
        for path in trees[before]
        if path.startswith("package/")
        and path not in trees[after]
        and excluded(path) not in trees[after]["copier.yml"]
    ]


def excluded(path: str) -> str:
    """As `_exclude` names what a template makes."""
    return path.removeprefix("package/").removesuffix(".jinja")


def tree_sum(version: str) -> str:
    return sum_of(templates.released(version))


def release() -> Path:
    """Raises SystemExit where the version is no release, or was one before."""
    if ".dev" in __version__ or __version__ in templates.releases():
        sys.exit(f"{__version__} can't be released: set __version__ to the next version")
    if problems():
        sys.exit("\n".join(problems()))
    folder = templates.HISTORY / __version__
    for path, text in templates.live().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    known = sums() | {__version__: sum_of(templates.live())}
    SUMS.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8", newline="\n")
    return folder


if __name__ == "__main__":
    print(release())
