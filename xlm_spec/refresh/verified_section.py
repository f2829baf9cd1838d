"""The section of a README that lists verified laws: its markers, and the code that was verified."""

import hashlib
import re
from pathlib import Path

BEGIN = "<!-- verified laws: written by `xlm-spec verify . --record` -->\n"
END = "<!-- end of verified laws -->\n"
EMPTY = "\nNo verification is recorded yet.\n\n"  # as templates render the section
CODE_HASH = re.compile(r"SHA-256 of the code begins with\n`([0-9a-f]{12})`")


def code_hash(folder: Path) -> str:
    """The first twelve digits of the SHA-256 of a package's modules, sorted by name."""
    found = hashlib.sha256()
    for objective in sorted(folder.glob("*/objective.py")):  # in the folder of the modules
        for file in sorted(objective.parent.glob("*.py")):
            found.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:12]


def is_outdated(folder: Path, readme: str) -> bool:
    """Does the section name a hash that is not the hash of the current code?"""
    recorded = CODE_HASH.search(readme.partition(BEGIN)[2].partition(END)[0])
    return recorded is not None and recorded[1] != code_hash(folder)


def without_results(readme: bytes) -> bytes:
    """A README with an empty section, as a build writes it."""
    before, begin, rest = readme.partition(BEGIN.encode())
    _, end, after = rest.partition(END.encode())
    return before + begin + EMPTY.encode() + end + after if begin and end else readme


def recorded_claims(readme: str) -> tuple[str, ...]:
    """The claims of the recorded verification, each with its verdict."""
    section = readme.partition(BEGIN)[2].partition(END)[0]
    lines = section.partition("\nClaims:\n\n")[2].partition("\n\n")[0].splitlines()
    return tuple(line.removeprefix("- ") for line in lines if line != "- none")
