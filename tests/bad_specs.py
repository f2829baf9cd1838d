"""Specs that are wrong, and exactly what the compiler prints for each: `tests/bad/<code>.md`.

A page may begin with a base spec. Below it each heading is a case: a complete spec in ```yaml, or,
in ```yaml changes, the lines that replace or extend those of the base spec; custom components
behind their file name ("`mine.py`:"); the output in ```text.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "bad"
HEADING = r"^## (?P<heading>[^\n]+)$"
FILE = r"(?:`(?P<file>[^`\n]+)`:\n\n)?"
FENCE = r"```(?P<language>\w+)(?P<changes> changes)?\n(?P<text>.*?)^```$"
PART = re.compile(f"{HEADING}|^{FILE}{FENCE}", re.M | re.S)
KEY = re.compile(r"\w+(?=:)")


@dataclass(frozen=True)
class BadSpec:
    page: Path
    heading: str
    text: str
    components: dict[str, str]  # file name to source
    output: str
    place: tuple[int, int]  # of the output on the page

    @property
    def code(self) -> str:
        return self.page.stem

    @property
    def name(self) -> str:
        """The heading as one word, for `pytest -k`."""
        return "_".join(re.findall(r"\w+", self.heading.lower()))

    def write(self, folder: Path) -> Path:
        """The spec as a file of a new folder, its components beside it."""
        place = folder / f"{self.code}_{self.name}"
        place.mkdir()
        for name, source in (self.components | {"spec.yaml": self.text}).items():
            (place / name).write_text(source, encoding="utf-8")
        return place / "spec.yaml"

    def rewrite(self, output: str) -> None:
        """Replaces the output on the page as it is now."""
        page = self.page.read_text(encoding="utf-8")
        [(start, end)] = [c.place for c in cases(self.page) if c.name == self.name]
        self.page.write_text(page[:start] + output + page[end:], encoding="utf-8")


def bad_specs(folder: Path = FOLDER) -> list[BadSpec]:
    return [case for page in sorted(folder.glob("X*.md")) for case in cases(page)]


def cases(page: Path) -> list[BadSpec]:
    base, heading, found = "", "", []
    text, components = "", {}
    for part in PART.finditer(page.read_text(encoding="utf-8")):
        if part["heading"]:
            heading, text, components = part["heading"], "", {}
        elif part["file"]:
            components[part["file"]] = part["text"]
        elif part["language"] == "text":
            found.append(BadSpec(page, heading, text, components, part["text"], part.span("text")))
        elif heading:
            text = changed(base, part["text"]) if part["changes"] else part["text"]
        else:
            base = part["text"]
    return found


def changed(base: str, changes: str) -> str:
    """A spec, some top-level entries of which are replaced, and others added at its end."""
    new = entries(changes)
    return "".join((entries(base) | new).values())


def entries(spec: str) -> dict[str, str]:
    """The lines of each top-level entry, by its key."""
    found, key = {}, ""
    for line in spec.splitlines(keepends=True):
        if at := KEY.match(line):
            key = at[0]
        found[key] = found.get(key, "") + line
    return found
