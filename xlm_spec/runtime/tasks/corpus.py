"""Texts from files, and from data sets of the Hugging Face hub."""

from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives

SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def of_file(path: str) -> str:
    """Raises Failed (X506)."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        told = getattr(e, "strerror", None) or "not a text in UTF-8"
        raise Failed(Diagnostic("X506", f"cannot read the text: {told}", file=path)) from None


def of_data_set(name: str, config: str, column: str) -> dict[str, str]:
    """The parts that a data set has, its rows a line each. Raises Failed: X506, X508."""
    try:
        import datasets
    except ImportError:
        told, hint = "a data set needs the library datasets", "pip install 'xlm-spec[train]'"
        raise Failed(Diagnostic("X508", told, hint)) from None
    datasets.disable_progress_bars()
    try:
        found: Any = datasets.load_dataset(name, config or None)
    except Exception as e:  # of the network, of the hub, of the files: each has its own
        why = next(iter(str(e).splitlines()), type(e).__name__)
        told = f"cannot load the data set `{name}`: {why}"
        hint = "check the id and the network; data.file=PATH reads a text that is here"
        raise Failed(Diagnostic("X506", told, hint)) from None
    if "train" not in found:
        told = f"the data set `{name}` has no part `train`"
        raise Failed(Diagnostic("X506", told, f"it has {', '.join(found)}"))
    columns = found["train"].column_names
    if column not in columns:
        told = f"the data set `{name}` has no column `{column}`"
        raise Failed(Diagnostic("X506", told, f"data.column: {alternatives(column, columns)}"))
    parts = {SPLITS[split]: rows for split, rows in found.items() if split in SPLITS}
    return {split: "\n".join(map(str, rows[column])) for split, rows in parts.items()}
