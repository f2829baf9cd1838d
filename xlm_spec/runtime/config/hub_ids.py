"""Checkpoints of the Hugging Face hub by name: `hf:USER/NAME[@REVISION]`."""

import re
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed

PREFIX = "hf:"
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def is_hub(source: Path) -> bool:
    return source.as_posix().startswith(PREFIX)


def absolute(source: Path) -> Path:
    """The absolute path of a checkpoint; a name on the hub as it is."""
    return source if is_hub(source) else source.resolve()


def parsed(source: Path) -> tuple[str, str | None]:
    """The repository and the revision. Raises Failed (X632)."""
    name, _, revision = source.as_posix().removeprefix(PREFIX).partition("@")
    return repository(name), revision or None


def repository(name: str) -> str:
    """Raises Failed (X632) unless it is USER/NAME."""
    if not REPOSITORY.fullmatch(name):
        message = f"`{name}` is not the name of a repository"
        raise Failed(Diagnostic("X632", message, "write USER/NAME, e.g. alice/mdlm-star"))
    return name
