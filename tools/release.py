"""Freezes the templates of a release: `python tools/release.py`, after setting `__version__`.

`copier update` and packages with a damaged record merge from `templates/history/<version>/`, which
never changes: a test compares it with the sum in `sums.json`. Rebuild the packages afterwards.
"""

import hashlib
import json
import sys
from itertools import pairwise
from pathlib import Path

from xlm_spec import __version__
from xlm_spec.compiler.emit import templates

SUMS = templates.HISTORY / "sums.json"  # {version: sha256 of its tree}


def sum_of(tree: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def sums() -> dict[str, str]:
    return json.loads(SUMS.read_text(encoding="utf-8")) if SUMS.exists() else {}


def problems() -> list[str]:
    """Errors in the frozen releases, and reasons why the current state cannot be released."""
    known, found = sums(), templates.releases()
    wrong = [f"{v} differs from its release" for v in found if known.get(v) != tree_sum(v)]
    wrong += [f"{v} is missing" for v in known if v not in found]
    wrong += [f"{v} drops {p}: add it to _exclude in copier.yml" for v, p in dropped()]
    if __version__ in found and templates.version() != __version__:
        wrong.append(f"the templates differ from release {__version__}: raise __version__")
    if found and templates.numbers(__version__.partition(".dev")[0]) < templates.numbers(found[-1]):
        wrong.append(f"__version__ is older than release {found[-1]}")
    return wrong


def dropped() -> list[tuple[str, str]]:
    """(version, path) of files that a later version drops: copier would delete them, with edits."""
    trees = {v: templates.released(v) for v in templates.releases()} | {
        "current state": templates.live()
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
    """The path of a rendered file, as `_exclude` in copier.yml names it."""
    return path.removeprefix("package/").removesuffix(".jinja")


def tree_sum(version: str) -> str:
    return sum_of(templates.released(version))


def release() -> Path:
    """Freezes the templates. Raises SystemExit if the version cannot be released."""
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
