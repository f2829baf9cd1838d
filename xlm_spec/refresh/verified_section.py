"""The section of a README that lists verified laws: its markers, and the code that was verified."""

import hashlib
import re
from pathlib import Path

from xlm_spec.refresh.merge import bare

README = "README.md"
BEGIN = "<!-- verified laws: written by `xlm-spec verify . --record` -->\n"
END = "<!-- end of verified laws -->\n"
EMPTY = "\nNo verification is recorded yet.\n\n"  # as templates render the section
CODE_HASH = re.compile(r"SHA-256 of the code begins with\n`([0-9a-f]{12})`")


def code_hash(folder: Path) -> str:
    """The first twelve digits of the SHA-256 of a package's modules and law files, by their paths.

    Files in folders of the modules count too.
    """
    found = hashlib.sha256()
    for objective in sorted(folder.glob("*/objective.py")):  # in the folder of the modules
        home = objective.parent
        paths = [(f.relative_to(home).as_posix(), f) for f in home.rglob("*.py")]
        paths += [(f"tests/{f.name}", f) for f in folder.glob("tests/*_law.py")]
        for path, file in sorted(paths):
            found.update(f"{path}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:12]


def is_outdated(folder: Path, readme: str) -> bool:
    """Does the section name a hash that is not the hash of the current code?"""
    readme = readme.replace("\r\n", "\n")
    recorded = CODE_HASH.search(readme.partition(BEGIN)[2].partition(END)[0])
    return recorded is not None and recorded[1] != code_hash(folder)


def without_results(readme: bytes) -> bytes:
    """A README with an empty section, as a build writes it."""
    return with_section(readme, EMPTY.encode())


def with_results(path: str, built: bytes | None, yours: bytes | None) -> bytes | None:
    """The text of a build; of a README with the results that `yours` has: they are not an edit."""
    if path != README or built is None or yours is None:
        return built
    _, section, complete = parts(bare(yours))
    return with_section(built, section) if complete else built


def with_section(readme: bytes, section: bytes) -> bytes:
    """A README with another section; unchanged if it has none."""
    before, _, after = parts(readme)
    return before + BEGIN.encode() + section + after if after else readme


def parts(readme: bytes) -> tuple[bytes, bytes, bytes]:
    """What is before the section, the section, and the end of the section with what follows."""
    before, _, rest = readme.partition(BEGIN.encode())
    section, end, after = rest.partition(END.encode())
    return before, section, end + after


def recorded_claims(readme: str) -> tuple[str, ...]:
    """The claims of the recorded verification, each with its verdict."""
    readme = readme.replace("\r\n", "\n")
    section = readme.partition(BEGIN)[2].partition(END)[0]
    lines = section.partition("\nClaims:\n\n")[2].partition("\n\n")[0].splitlines()
    return tuple(line.removeprefix("- ") for line in lines if line != "- none")
