"""Texts and tables from files and from data sets of the Hugging Face hub."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape, glob
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, first_line, wants_colour
from xlm_spec.runtime.streams import batches_of

SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}
SHARE = 20  # one in so many records is in a split that the data set lacks
FORMATS = {  # suffix of a file -> its builder in the library datasets
    ".jsonl": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def read_file(path: str) -> str:
    """The text of a file, without a byte order mark. Raises Failed (X506)."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        reason = getattr(e, "strerror", None) or "not UTF-8 text"
        raise Failed(Diagnostic("X506", f"cannot read the text: {reason}", file=path)) from None


def is_table(path: str) -> bool:
    """True for a file of records: JSON Lines, JSON, CSV, TSV or Parquet."""
    return Path(path).suffix.lower() in FORMATS


def read_data_set(name: str, config: str, column: str) -> dict[str, str]:
    """The splits of a data set, one line per row. Raises Failed: X506, X508."""
    return lines_of(Source(hub=name, config=config), column)


def lines_of(source: "Source", column: str) -> dict[str, str]:
    """The splits of a source, one line per row of a column. Raises Failed: X506, X508."""
    splits = source.load({"data.column": column})
    name = source.name
    return {
        split: "\n".join(strings(rows[column], name, column, split))
        for split, rows in splits.items()
    }


@dataclass(frozen=True)
class Source:
    """Local files of records, or a data set of the hub; read by the library datasets."""

    files: Mapping[str, str] = field(default_factory=dict)  # split -> path, or a pattern of paths
    hub: str = ""  # its id, or its folder
    config: str = ""

    @property
    def name(self) -> str:
        return self.hub or self.files["train"]

    def load(self, columns: Mapping[str, str], streaming: bool = False) -> dict[str, Any]:
        """Splits -> a Dataset (on disk) or an IterableDataset, with these columns only.

        `columns`: setting -> the column that it names. Raises Failed: X506, X508.
        """
        datasets = library()
        wanted = list(dict.fromkeys(columns.values()))
        try:
            loaded = self.opened(datasets, wanted, streaming)
            known = {split: columns_of(rows) for split, rows in loaded.items()}
        except Failed:
            raise
        except Exception as e:  # the network, the hub and the files raise different ones
            what = "the data set" if self.hub else "the file"
            message = f"cannot load {what} `{self.name}`: {cause(e)}"
            hint = "check the id and the connection; data.file=PATH reads a local file"
            raise Failed(Diagnostic("X506", message, hint if self.hub else "")) from None
        if "train" not in loaded:
            message = f"the data set `{self.name}` has no split `train`"
            raise Failed(Diagnostic("X506", message, f"it has {', '.join(loaded)}"))
        splits = {}
        for split, rows in loaded.items():
            if split in SPLITS:
                self.require(columns, known[split], split)
                splits[SPLITS[split]] = rows.select_columns(wanted)
        return splits

    def opened(self, datasets: Any, columns: list[str], streaming: bool) -> Any:
        if self.hub:
            return datasets.load_dataset(self.hub, self.config or None, **streams(streaming))
        kinds = {FORMATS.get(Path(f).suffix.lower(), "text") for f in self.files.values()}
        if len(kinds) > 1:
            message = f"the files have different formats: {', '.join(sorted(kinds))}"
            raise Failed(Diagnostic("X506", message, "use one format for all splits"))
        [kind] = kinds
        files = {split: found(path) for split, path in self.files.items()}
        options: dict[str, Any] = {}
        if kind == "csv":  # the text of a cell as it is: 007 is no number, and NA is not empty
            options["converters"] = dict.fromkeys(columns, str)
            options["sep"] = "\t" if Path(self.name).suffix.lower() == ".tsv" else ","
        return datasets.load_dataset(kind, data_files=files, **options, **streams(streaming))

    def require(self, columns: Mapping[str, str], known: list[str], split: str) -> None:
        """Raises Failed (X506) if a column is missing."""
        for setting, column in columns.items():
            if column not in known:
                what = "the data set" if self.hub else "the file"
                message = f"{what} `{self.name}` has no column `{column}`"
                message += f" in split `{split}`" if split != "train" else ""
                hint = f"{setting}: {alternatives(column, known)}"
                raise Failed(Diagnostic("X506", message, hint))


def library() -> Any:
    """The library datasets, with progress on a terminal only. Raises Failed (X508)."""
    try:
        import datasets
    except ImportError:
        message, hint = "a data set requires the library datasets", "pip install 'xlm-spec[train]'"
        raise Failed(Diagnostic("X508", message, hint)) from None
    if not wants_colour(sys.stderr):
        datasets.disable_progress_bars()
    return datasets


def streams(streaming: bool) -> dict[str, bool]:
    return {"streaming": True} if streaming else {}


def found(path: str) -> list[str]:
    """The files of a path or a pattern such as `part-*.jsonl`, sorted. Raises Failed (X506)."""
    files = [path] if Path(path).is_file() else sorted(glob(path))
    if not files:
        raise Failed(Diagnostic("X506", "cannot read the data: No such file", file=path))
    return [escape(f) for f in files]


def columns_of(rows: Any) -> list[str]:
    """The columns of a split; those of a stream may be known from its first record only."""
    names = rows.column_names
    return list(names if names is not None else next(iter(rows.take(1)), {}))


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


def strings(values, name: str, column: str, split: str, first: int = 0) -> list[str]:
    """The values of a column, from row `first` on. Raises Failed (X506) if one is no string."""
    rows = list(values)
    wrong = [i for i, v in enumerate(rows) if not isinstance(v, str)]
    if not wrong:
        return rows
    kind = "empty (null)" if rows[wrong[0]] is None else f"a {type(rows[wrong[0]]).__name__}"
    message = f"column `{column}` of `{name}` has {len(wrong)} of {len(rows)} rows in `{split}`"
    message = f"{message} that are not strings: row {first + wrong[0]} is {kind}"
    hint = "choose another column, or remove these rows"
    raise Failed(Diagnostic("X506", message, hint))


def absolute(path: str) -> str:
    return str(Path(path).expanduser().resolve()) if path else ""


def cut_from(tables: Mapping[str, Any]) -> list[str]:
    """The splits that a data set lacks: they are parts of `train`."""
    return [split for split in ("val", "test") if split not in tables]


def part_of(text: str, cut: Sequence[str]) -> str:
    """The split of a record of `train`, by a digest of its text: one in SHARE for each of `cut`."""
    if not cut:
        return "train"
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") % SHARE
    return cut[number] if number < len(cut) else "train"


def first_of(
    tables: Mapping[str, Any], split: str, columns: Sequence[str], name: str, n: int
) -> dict[str, list]:
    """The first `n` records of a split of a stream, by column.

    The first column that is not empty decides about the split. Raises Failed (X506).
    """
    cut = cut_from(tables)

    def inside(record: dict[str, list]) -> bool:
        text = next((str(record[c][0]) for c in columns if record[c][0]), "")
        return split not in cut or part_of(text, cut) == split

    every = batches_of(tables.get(split, tables["train"]), 1, name)
    kept = list(islice(filter(inside, every), n))
    return {c: [record[c][0] for record in kept] for c in columns}
