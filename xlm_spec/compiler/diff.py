"""Differences between specs, in the order of a method section, and between their packages."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.emit.plan import Plan
from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.emit.state import STATE
from xlm_spec.compiler.frontend.load import parse
from xlm_spec.compiler.plan import plan_of

SECTIONS = (
    *("title", "paper", "noise", "target", "loss", "sampler", "backbone", "head"),
    *("data", "train"),
)
ABSENT = "-"


@dataclass(frozen=True)
class Section:
    """The rows in which specs differ in a section: dotted name, and the value in each spec."""

    name: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def outline(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """(heading, name, values): the section's own values are in the row of its heading."""
        own = [values for key, values in self.rows if key == self.name]
        inner = [(k.partition(".")[2], v) for k, v in self.rows if k != self.name]
        heads = own or ([()] if inner else [])
        return [*((self.name, "", v) for v in heads), *(("", k, v) for k, v in inner)]


def diff(a: str | Path, b: str | Path, code: bool = False) -> str:
    """The differences between two specs; with `code`, between the files of their packages."""
    plans = [plan_of(a), plan_of(b)]
    return code_diff(*plans) if code else text(differences(plans), names_of(a, b))


def names_of(a: str | Path, b: str | Path) -> list[str]:
    """The names of the files; their paths if the names are equal."""
    stems = [Path(a).stem, Path(b).stem]
    return stems if stems[0] != stems[1] else [str(a), str(b)]


def differences(plans: Sequence[Plan]) -> list[Section]:
    """Every section, with defaults; a section without rows is equal in all specs."""
    by_plan = [lines(p) for p in plans]
    keys = list(dict.fromkeys(k for found in by_plan for k in found))
    sections = []
    for name in SECTIONS:
        in_section = [k for k in keys if k.partition(".")[0] == name]
        if name == "head" and not in_section:
            continue  # the heads of both are inferred
        rows = [(k, tuple(found.get(k, ABSENT) for found in by_plan)) for k in in_section]
        sections.append(Section(name, tuple(r for r in rows if len(set(r[1])) > 1)))
    return sections


def lines(plan: Plan) -> dict[str, str]:
    """Dotted name -> value: a kind has the name of its axis, its parameters are below it.

    `data` and `train` are as written in the spec: the runtime adds their defaults.
    """
    given = parse(plan.source.encode()).values
    sections = {"title": plan.title, "paper": plan.paper, "head": {}} | plan.method
    sections |= {"target": ", ".join(plan.method["target"])}
    sections |= {"loss": {loss.get("term", loss["kind"]): loss for loss in plan.method["loss"]}}
    sections |= {k: given.get(k, {}) for k in ("data", "train")}
    return {k: v for name in SECTIONS for k, v in flat(name, sections[name]) if v}


def flat(name: str, node: object) -> Iterator[tuple[str, str]]:
    if not isinstance(node, dict):
        yield name, str(node)
        return
    for key, value in node.items():
        yield from flat(name if key == "kind" else f"{name}.{key}", value)


def text(sections: list[Section], names: list[str]) -> str:
    """Title and paper of each spec, a table of differences, and the names of equal sections."""
    prose = [
        f"{n}: {v}"
        for s in sections[:2]
        for _, of in s.rows
        for n, v in zip(names, of, strict=True)
    ]
    table = [("", *names)]
    for head, key, values in (line for s in sections[2:] for line in s.outline):
        table.append((head or f"  {key}", *(values or [""] * len(names))))
    equal = [s.name for s in sections if not s.rows]
    last = f"equal: {', '.join(equal)}" if equal else "no section is equal"
    columns = aligned(table) if len(table) > 1 else []
    return "\n\n".join("\n".join(part) for part in (prose, columns, [last]) if part)


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ([c.ljust(w) for c, w in zip(row, wide, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in cells]


def code_diff(a: Plan, b: Plan) -> str:
    """The packages as a unified diff, file by file, and the number of shared lines."""
    old, new = files(a), files(b)
    out: list[str] = []
    shared = only_a = only_b = 0
    for path in sorted({*old, *new}):
        before, after = old.get(path, []), new.get(path, [])
        one, other = (f"{p.name}/{path.format(name=p.name)}" for p in (a, b))
        found = list(difflib.unified_diff(before, after, one, other, lineterm=""))
        gone = sum(line.startswith("-") for line in found[2:])
        shared += len(before) - gone
        only_a, only_b = only_a + gone, only_b + len(after) - (len(before) - gone)
        out += found
    out.append(f"{shared} lines shared, {only_a} only in {a.name}, {only_b} only in {b.name}")
    return "\n".join(out)


def files(plan: Plan) -> dict[str, list[str]]:
    """The lines of each file, by its path with `{name}` in place of the package's name."""
    own = {f"{plan.name}/": "{name}/", f"tests/test_{plan.name}.py": "tests/test_{name}.py"}
    found = {}
    for path, data in render(plan).items():
        if path in STATE:
            continue
        for name, common in own.items():
            path = common + path.removeprefix(name) if path.startswith(name) else path
        found[path] = data.decode().splitlines()
    return found
