"""What the last build of a package wrote: `.xlm/lock.json`, or what can be told without it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler import templates
from xlm_spec.compiler.render import ANSWERS, LOCK, rendered, safe
from xlm_spec.diagnostics import Diagnostic
from xlm_spec.refresh.places import content, digest


@dataclass(frozen=True)
class Record:
    """The texts of the last build, by path, and what there is to say of how they were found."""

    texts: dict[str, bytes]
    warnings: tuple[Diagnostic, ...] = ()


def last_build(folder: Path) -> Record:
    """Raises Failed (X403) where what is there can't be read."""
    file = folder / LOCK
    raw = content(file)
    if raw is None and content(folder / ANSWERS) is None:
        return Record({})
    texts = recorded(raw or b"")
    if texts is not None:
        return Record(texts)
    again = remade(content(folder / ANSWERS) or b"")
    how = "damaged" if raw is not None else "missing"
    then = f"made anew from {ANSWERS}" if again else "every file counts as edited by you"
    told = f"the record of the last build is {how}: {then}"
    return Record(again, (Diagnostic("X402", told, file=str(file), severity="warning"),))


def recorded(raw: bytes) -> dict[str, bytes] | None:
    """What a record says; None if it can't be read, or a text is not the one that was written."""
    try:
        files = json.loads(raw)["files"]
        texts = {safe(p): str(f["text"]).encode() for p, f in files.items()}
        right = all(digest(t) == files[p]["sha256"] for p, t in texts.items())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    nested = any(a != b and b.startswith(f"{a}/") for a in texts for b in texts)
    return texts if right and not nested else None


def as_before(record: bytes, before: dict[str, bytes], paths: Iterable[str]) -> bytes:
    """A record that says of some paths what the last one did."""
    again = json.loads(record)
    other = [p for p in paths if again["files"].get(p) != entry(before.get(p))]
    for path in other:
        again["files"].pop(path, None)
        if path in before:
            again["files"][path] = entry(before[path])
    return json.dumps(again, indent=2, ensure_ascii=False).encode() if other else record


def entry(text: bytes | None) -> dict | None:
    """What a record holds of a file."""
    return None if text is None else {"sha256": digest(text), "text": text.decode()}


def remade(answers: bytes) -> dict[str, bytes]:
    """The texts that the last build must have written, from its plan and its templates.

    Nothing where these are not known any more.
    """
    try:
        found = json.loads(answers.partition(b"\n")[2])
        tree = templates.of(found["_commit"])
        if tree is None:
            return {}
        files = rendered(found["ir"], tree, found["_commit"])
    except Exception:  # a plan that a person changed, in any way, is rendered by templates
        return {}
    return {p: t for p, t in files.items() if p not in (ANSWERS, LOCK)}
