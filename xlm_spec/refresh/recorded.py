"""What a README says was verified: where it stands, and of which code it was."""

import hashlib
import re
from pathlib import Path

BEGIN = "<!-- verified: `xlm-spec verify . --record` writes what stands from here -->\n"
END = "<!-- to here -->\n"
SAID = re.compile(r"of the code whose SHA-256 begins with\n`([0-9a-f]{12})`")


def code_of(folder: Path) -> str:
    """The first twelve digits of the SHA-256 of a package's modules, by name."""
    found = hashlib.sha256()
    for objective in sorted(folder.glob("*/objective.py")):  # the package's own folder has one
        for file in sorted(objective.parent.glob("*.py")):
            found.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:12]


def of_other_code(folder: Path, readme: str) -> bool:
    """Was something verified, and has the code changed since?"""
    told = SAID.search(readme.partition(BEGIN)[2].partition(END)[0])
    return told is not None and told[1] != code_of(folder)
