"""Texts from files and from data sets of the Hugging Face hub."""

from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, first_line

SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def read_file(path: str) -> str:
    """The text of a file, without a byte order mark. Raises Failed (X506)."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        reason = getattr(e, "strerror", None) or "not UTF-8 text"
        raise Failed(Diagnostic("X506", f"cannot read the text: {reason}", file=path)) from None


def read_data_set(name: str, config: str, column: str) -> dict[str, str]:
    """The splits of a data set, one line per row. Raises Failed: X506, X508."""
    try:
        import datasets
    except ImportError:
        message, hint = "a data set requires the library datasets", "pip install 'xlm-spec[train]'"
        raise Failed(Diagnostic("X508", message, hint)) from None
    datasets.disable_progress_bars()
    try:
        loaded: Any = datasets.load_dataset(name, config or None)
    except Exception as e:  # the network, the hub and the files raise different ones
        message = f"cannot load the data set `{name}`: {cause(e)}"
        hint = "check the id and the connection; data.file=PATH reads a local file"
        raise Failed(Diagnostic("X506", message, hint)) from None
    if "train" not in loaded:
        message = f"the data set `{name}` has no split `train`"
        raise Failed(Diagnostic("X506", message, f"it has {', '.join(loaded)}"))
    columns = loaded["train"].column_names
    if column not in columns:
        message = f"the data set `{name}` has no column `{column}`"
        raise Failed(Diagnostic("X506", message, f"data.column: {alternatives(column, columns)}"))
    splits = {SPLITS[split]: rows for split, rows in loaded.items() if split in SPLITS}
    return {split: lines(rows[column], name, column, split) for split, rows in splits.items()}


def cause(e: BaseException) -> str:
    """The message of an error, with the messages of its causes in parentheses."""
    message, seen = first_line(e), {id(e)}
    under = e.__cause__ or e.__context__
    while under is not None and id(under) not in seen:
        seen.add(id(under))
        why = first_line(under)
        message = message if why in message else f"{message} ({why})"
        under = under.__cause__ or under.__context__
    return message


def lines(values, name: str, column: str, split: str) -> str:
    """The rows of a column, one per line. Raises Failed (X506) if one is not a string."""
    rows = list(values)
    wrong = [i for i, v in enumerate(rows) if not isinstance(v, str)]
    if not wrong:
        return "\n".join(rows)
    kind = "empty (null)" if rows[wrong[0]] is None else f"a {type(rows[wrong[0]]).__name__}"
    message = f"column `{column}` of `{name}` has {len(wrong)} of {len(rows)} rows in `{split}`"
    message = f"{message} that are not strings: row {wrong[0]} is {kind}"
    hint = "choose another column with data.column, or remove these rows"
    raise Failed(Diagnostic("X506", message, hint))
