"""The files in which a package records its last build."""

from pathlib import Path

ANSWERS = ".copier-answers.yml"
LOCK = ".xlm/lock.json"
STATE = (ANSWERS, LOCK)


def is_package(folder: Path) -> bool:
    """Was the folder written by a build?"""
    return any((folder / p).exists() for p in STATE)
