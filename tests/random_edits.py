"""Random edits of a package between builds, and the properties that must hold after them."""

import shutil
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from methods import text
from packages import content

from xlm_spec.compiler.emit import templates
from xlm_spec.compiler.emit.layout import laid_out
from xlm_spec.compiler.emit.lower import lower
from xlm_spec.compiler.emit.render import rendered
from xlm_spec.compiler.emit.state import STATE
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.diagnostics import Failed
from xlm_spec.refresh.merge import conflicts
from xlm_spec.refresh.outcome import REJECTED, FileAction
from xlm_spec.refresh.package import refresh

LEFT = {"target": "next_token", "loss": "cross_entropy", "sampler": "autoregressive"}
SPECS = [
    text(sampler="{kind: ancestral, steps: 8}"),
    text(sampler="{kind: ancestral, steps: 9}", noise="{process: mask, schedule: cosine}"),
    text(sampler="{a: {kind: ancestral, steps: 8}, b: first_hitting}"),
    text(sampler="{kind: fixed_budget, order: confidence}", loss="cross_entropy"),
    text(noise="{process: mask, count: exact, schedule: {kind: polynomial, power: 2}}"),
    text(noise="{process: none}", **LEFT),
]
VERSIONS = templates.releases()


@cache
def files_of(spec: int, version: str) -> dict[str, bytes]:
    """The files that a build by a release writes."""
    ir = laid_out(lower(compose(validate(parse(SPECS[spec].encode())))))
    return rendered(ir, templates.released(version), version)


builds = st.tuples(st.integers(0, len(SPECS) - 1), st.sampled_from(VERSIONS))
places = st.floats(0, 1, exclude_max=True)
edits = st.lists(
    st.tuples(
        st.sampled_from([*["insert"] * 4, *["change"] * 3, "cut", "crlf", "add", "move", "delete"]),
        places,  # which file
        places,  # which line
        st.integers(1, 4),  # how many
    ),
    max_size=8,
)
histories = st.tuples(builds, st.lists(st.tuples(edits, builds), min_size=1, max_size=3))


@dataclass
class Person:
    """Edits a package, and records the lines that the user added."""

    folder: Path
    lines: set[bytes] = field(default_factory=set)
    written: int = 0

    def files(self) -> list[Path]:
        found = (p for p in sorted(self.folder.rglob("*")) if p.is_file())
        return [p for p in found if p.relative_to(self.folder).as_posix() not in STATE]

    def does(self, what: str, which: float, where: float, many: int) -> None:
        files = self.files()
        if what == "add" or not files:
            names = [
                "notes.md",
                "method/mine.py",
                *(p for p in files_of(2, "0.4.0") if p not in STATE),
            ]
            file = self.folder / names[int(where * len(names))]
            old = file.read_bytes() if file.exists() else b""
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(old + self.new(b"", many))
            return
        file = files[int(which * len(files))]
        raw = file.read_bytes()
        lines = raw.splitlines(keepends=True)
        at = int(where * (len(lines) + 1))
        end = b"\r\n" if b"\r\n" in raw else b"\n"
        match what:
            case "insert":
                if at and not lines[at - 1].endswith(b"\n"):
                    lines[at - 1] += end
                lines[at:at] = self.new(end, many).splitlines(keepends=True)
            case "change" | "cut":
                self.forgets(lines[at : at + many])
                more = self.new(end, many).splitlines(keepends=True) if what == "change" else []
                lines[at : at + many] = more
            case "crlf":
                lines = [raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")]
            case "move":
                file.rename(file.with_name(f"moved_{self.written}_{file.name}"))
                self.written += 1
                return
            case "delete":
                self.forgets(lines)
                file.unlink()
                return
        file.write_bytes(b"".join(lines))

    def new(self, end: bytes, many: int) -> bytes:
        """Lines that nobody wrote before."""
        made = [b"# person %d" % (self.written + i) for i in range(many)]
        self.written += many
        self.lines |= {*made}
        return b"".join(line + (end or b"\n") for line in made)

    def forgets(self, lines: list[bytes]) -> None:
        self.lines -= {line.strip() for line in lines}

    def resolves(self) -> None:
        """Keeps both texts of every conflict, and deletes rejected texts."""
        for file in self.files():
            if file.name.endswith(REJECTED):
                file.unlink()
            elif conflicts(file.read_bytes()):
                marks = (b"<<<<<<< ", b"||||||| ", b"=======", b">>>>>>> ")
                lines = file.read_bytes().splitlines(keepends=True)
                file.write_bytes(b"".join(x for x in lines if not x.startswith(marks)))


def drawn(count: int, folder: Path, seed: int | None = None, derandomize: bool = False) -> Counter:
    """Runs random histories; counts the actions of builds. Raises AssertionError."""
    seen: Counter[FileAction] = Counter()

    @settings(
        max_examples=count,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(histories)
    def each(history) -> None:
        seen.update(holds(folder, history))

    (each if seed is None else hypothesis.seed(seed)(each))()
    return seen


def holds(folder: Path, history) -> list[FileAction]:
    """Runs a history; returns the actions of builds. Raises AssertionError."""
    first, rounds = history
    shutil.rmtree(folder, ignore_errors=True)
    refresh(folder, files_of(*first))
    person, seen, last = Person(folder), list[FileAction](), files_of(*first)
    for doings, corrupted in rounds:
        for doing in doings:
            person.does(*doing)
        new = files_of(*corrupted)
        done = refresh(folder, new)
        seen += {o.action for o in done.outcomes}
        check(folder, person, done, last, new)
        person.resolves()
        last = new
    return seen


def check(folder: Path, person: Person, done, last: dict, new: dict) -> None:
    tree = content(folder)
    there = {line.strip() for t in tree.values() for line in t.splitlines()}
    assert person.lines <= there, "a line of the person's is gone"
    marked = [p for p, t in tree.items() if conflicts(t)]
    aside = [p for p in tree if p.endswith(REJECTED)]
    assert bool(done.decisions) or not (marked or aside), "exit 0 with a conflict"
    for o in done.outcomes:
        if o.action in (
            FileAction.MERGED,
            FileAction.CONFLICT,
            FileAction.UPDATED,
            FileAction.KEPT,
        ):
            came = {*new[o.path].splitlines()} - {*last.get(o.path, b"").splitlines()}
            held = {line.rstrip(b"\r") for line in tree[o.path].splitlines()}
            assert came <= held, "a line of the build's did not arrive"
    for path in STATE:
        assert tree[path] == new[path], "the record is not the build's"
    try:
        waits = refresh(folder, new).stale
    except Failed as failed:
        waits = failed.exit_code == 3
    assert waits == bool(marked or aside), "a second build has something to do, or does not wait"
    assert content(folder) == tree, "a second build changed something"
