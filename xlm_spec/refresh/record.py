"""The texts of a package's last build, from the sums in `.xlm/lock.json` and from its plan.

A file with the recorded sum is unedited: its text is the last build's. The last build's text of an
edited file is rendered again from the plan in the package's answers, with the templates of the
version that the answers name.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.emit import templates
from xlm_spec.compiler.emit.render import rendered, safe
from xlm_spec.compiler.emit.state import ANSWERS, LOCK
from xlm_spec.diagnostics import Diagnostic
from xlm_spec.refresh.disk import content, digest, real_path
from xlm_spec.refresh.merge import bare
from xlm_spec.refresh.verified_section import without_results

UNKNOWN = b""  # a text that cannot be rendered any more: the file counts as edited


@dataclass(frozen=True)
class Record:
    """The texts of the last build, by path, and warnings about how they were restored."""

    texts: dict[str, bytes]
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Lock:
    """The SHA-256 of each file of a build, and texts that cannot be rendered from its plan."""

    sums: dict[str, str]
    texts: dict[str, bytes]


def last_build(folder: Path, new: dict[str, bytes] | None = None) -> Record:
    """`new`: the texts of this build, most of which equal those of the last one.

    Raises Failed (X403) if the record cannot be read.
    """
    file = folder / LOCK
    raw, answers = content(file), content(folder / ANSWERS)
    if raw is None and answers is None:
        return Record({})
    lock = parse_lock(raw or b"")
    if lock is not None:
        return restored(folder, lock, answers or b"", new or {})
    again = render_again(answers or b"")
    how = "damaged" if raw is not None else "missing"
    then = f"restored from {ANSWERS}" if again else "every file counts as edited by you"
    message = f"record of the last build is {how}: {then}"
    return Record(again, (Diagnostic("X402", message, file=str(file), severity="warning"),))


def restored(folder: Path, lock: Lock, answers: bytes, new: dict[str, bytes]) -> Record:
    """The texts whose sums the lock holds."""
    found = dict(lock.texts)
    for path in lock.sums.keys() - found.keys():
        texts = [*as_built(folder, path), new.get(path)]
        found[path] = next((t for t in texts if t and digest(t) == lock.sums[path]), UNKNOWN)
    missing = [p for p, text in found.items() if text == UNKNOWN and lock.sums[p] != digest(text)]
    again = render_again(answers, known_sums=True) if missing else {}
    found |= {p: again[p] for p in again.keys() & missing if digest(again[p]) == lock.sums[p]}
    lost = sorted(p for p in missing if found[p] == UNKNOWN)
    if not lost:
        return Record(found)
    message = f"cannot restore the last build's text of {', '.join(lost)}"
    hint = "every difference from this build in these files counts as edited by you"
    file = str(folder / LOCK)
    return Record(found, (Diagnostic("X402", message, hint, file, severity="warning"),))


def as_built(folder: Path, path: str) -> list[bytes]:
    """A file as a build could have written it: with its line endings, without recorded laws."""
    text = content(real_path(folder, path))
    return [] if text is None else [bare(text), without_results(bare(text))]


def parse_lock(raw: bytes) -> Lock | None:
    """The content of a lock file; None if it is not readable or a text does not match its sum."""
    try:
        found = json.loads(raw)
        sums = {safe(p): str(s) for p, s in found["files"].items()}
        texts = {safe(p): str(t).encode() for p, t in found.get("texts", {}).items()}
        right = all(digest(t) == sums[p] for p, t in texts.items())
        right = right and all(len(s) == 64 for s in sums.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    nested = any(a != b and b.startswith(f"{a}/") for a in sums for b in sums)
    return Lock(sums, texts) if right and not nested else None


def as_before(record: bytes, before: dict[str, bytes], paths: Iterable[str]) -> bytes:
    """The lock with the sums and texts of the build before for some paths."""
    again = json.loads(record)
    other = [p for p in paths if again["files"].get(p) != digest(before.get(p))]
    for path in other:
        again["files"].pop(path, None)
        if path in before:
            again["files"][path] = digest(before[path])
            again.setdefault("texts", {})[path] = before[path].decode()
    return json.dumps(again, indent=2, ensure_ascii=False).encode() if other else record


def render_again(answers: bytes, known_sums: bool = False) -> dict[str, bytes]:
    """The texts of the last build, rendered again from its plan and its version's templates.

    Empty if these templates are not available; with `known_sums`, the current templates are used
    instead, because their result is compared with the sums.
    """
    try:
        found = json.loads(answers.partition(b"\n")[2])
        tree = templates.of(found["_commit"]) or (templates.live() if known_sums else None)
        if tree is None:
            return {}
        files = rendered(found["ir"], tree, found["_commit"])
    except Exception:  # an edited plan can make a template fail in any way
        return {}
    return {p: t for p, t in files.items() if p not in (ANSWERS, LOCK)}
