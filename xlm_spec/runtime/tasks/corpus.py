"""Texts and tables from files and from data sets of the Hugging Face hub."""

import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from glob import escape, glob
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, first_line, wants_colour
from xlm_spec.runtime.data.streams import batches_of
from xlm_spec.runtime.tasks.tables import Table, columns_in, content_digest, records_of

SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}
BATCH = 1_000  # rows that are read together
SHARE = 20  # one in so many records is in a split that the data set lacks
FORMATS = {  # suffix of a file -> its builder in the library datasets
    ".jsonl": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".smi": "smiles",  # which the library lacks
    ".smiles": "smiles",
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
    splits, name = source.load({"data.column": column}), source.name
    found = {}
    for split, rows in splits.items():
        lines, first = list[str](), 0
        for batch in batches_of(rows, BATCH, name):
            lines += strings(batch[column], rows, name, column, split, first)
            first = len(lines)
        found[split] = "\n".join(lines)
    return found


@dataclass(frozen=True)
class Source:
    """Local files of records, or a data set of the hub, of which files replace some splits."""

    files: Mapping[str, str] = field(default_factory=dict)  # split -> path, or a pattern of paths
    hub: str = ""  # its id, or its folder
    config: str = ""

    @property
    def name(self) -> str:
        return self.hub or self.files["train"]

    def load(self, columns: Mapping[str, str], streaming: bool = False) -> dict[str, Any]:
        """Splits -> a Table, a Dataset (of the hub) or an IterableDataset, with these columns only.

        `columns`: setting -> the column that it names. Raises Failed: X506, X508.
        """
        kinds = {FORMATS.get(Path(f).suffix.lower(), "text") for f in self.files.values()}
        if len(kinds) > 1:
            message = f"the files have different formats: {', '.join(sorted(kinds))}"
            raise Failed(Diagnostic("X506", message, "use one format for all splits"))
        splits = self.of_hub(columns, streaming) if self.hub else {}
        for split, pattern in self.files.items():
            files = found(pattern)
            if kinds == {"text"}:
                [column] = columns.values()
                options = {"data_files": [escape(f) for f in files], "split": "train"}
                rows = library().load_dataset("text", **options, streaming=True)
                splits[split] = rows if column == "text" else rows.rename_column("text", column)
                continue
            self.require(columns, columns_in(files), split, f"the file `{pattern}`")
            splits[split] = table(files, columns, streaming)
        return splits

    def of_hub(self, columns: Mapping[str, str], streaming: bool) -> dict[str, Any]:
        """The splits of the data set. Raises Failed: X506, X508."""
        datasets = library()
        options: dict[str, Any] = {"streaming": True} if streaming else {}
        tables = self.tables_of_folder()
        try:
            if self.folder_digest and not streaming:  # the library compares only times of files
                place = Path(datasets.config.HF_DATASETS_CACHE) / self.folder_digest
                options["cache_dir"] = str(place)
            loaded: Any = tables or self.loaded(datasets, columns, options)
            known = {
                split: columns_in(rows) if tables else columns_of(rows)
                for split, rows in loaded.items()
            }
        except Failed:
            raise
        except Exception as e:  # the network, the hub and the files raise different ones
            message = f"cannot load the data set `{self.name}`: {cause(e)}"
            hint = "check the id and the connection; data.file=PATH reads a local file"
            raise Failed(Diagnostic("X506", message, hint)) from None
        if "train" not in loaded:
            message = f"the data set `{self.name}` has no split `train`"
            raise Failed(Diagnostic("X506", message, f"it has {', '.join(loaded)}"))
        splits = {}
        for split, rows in loaded.items():
            if split in SPLITS and SPLITS[split] not in self.files:
                self.require(columns, known[split], split, f"the data set `{self.name}`")
                wanted = list(dict.fromkeys(columns.values()))
                chosen = table(rows, columns, streaming) if tables else rows.select_columns(wanted)
                splits[SPLITS[split]] = chosen
        return splits

    def loaded(self, datasets: Any, columns: Mapping[str, str], options: dict[str, Any]) -> Any:
        """The data set, as the library reads it; cells of CSV stay texts, as in local files."""
        given = self.hub, self.config or None
        builder = datasets.load_dataset_builder(*given)
        if builder.name == "csv":
            texts: dict[str, Any] = {"converters": dict.fromkeys(columns.values(), str)}
            texts |= {"keep_default_na": False, "na_filter": False}
            texts |= {"quoting": csv.QUOTE_NONE} if builder.config.sep == "\t" else {}
            options = options | texts
        return datasets.load_dataset(*given, **options)

    def tables_of_folder(self) -> dict[str, list[str]]:
        """The splits of a local folder with files of records, as the library assigns them.

        Empty for any other data set, which the library reads: the hub, a folder whose README.md
        may configure it, and other files.
        """
        folder = Path(self.hub)
        if self.config or not folder.is_dir() or (folder / "README.md").exists():
            return {}
        from datasets.data_files import DataFilesDict, get_data_patterns

        try:
            patterns = get_data_patterns(str(folder.resolve()))
            files = DataFilesDict.from_patterns(patterns, base_path=str(folder.resolve()))
        except Exception:  # load_dataset says why
            return {}
        splits = {str(split): list(map(str, paths)) for split, paths in files.items()}
        every = [f for paths in splits.values() for f in paths]
        return splits if every and all(is_table(f) and Path(f).is_file() for f in every) else {}

    @cached_property
    def folder_digest(self) -> str:
        """A digest of the names and the contents of all files of the folder `hub`, if it is one."""
        folder = Path(self.hub)
        if not self.hub or not folder.is_dir():
            return ""
        files = sorted(f for f in folder.rglob("*") if f.is_file())
        parts = [f"{f.relative_to(folder).as_posix()} {content_digest(f)}" for f in files]
        return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    def fingerprint(self, rows: Any) -> str:
        """What identifies the rows of a split: contents of files, or a revision of the hub."""
        if isinstance(rows, Table):
            return rows.fingerprint
        return f"{rows._fingerprint} {self.folder_digest}"

    def require(self, columns: Mapping[str, str], known: list[str], split: str, what: str) -> None:
        """Raises Failed (X506) if a column is missing."""
        for setting, column in columns.items():
            if column not in known:
                message = f"{what} has no column `{column}`"
                message += f" in split `{split}`" if split != "train" else ""
                hint = f"{setting}: {alternatives(column, known)}"
                raise Failed(Diagnostic("X506", message, hint))


def table(files: list[str], columns: Mapping[str, str], streaming: bool) -> Any:
    """Local files: a Table, or an IterableDataset with a shard for each file."""
    wanted = list(dict.fromkeys(columns.values()))
    whole = Table(tuple(files), tuple(wanted))
    if not streaming:
        return whole
    given = {"files": files, "columns": tuple(wanted)}  # a list is divided among shards
    rows = library().IterableDataset.from_generator(records_of, gen_kwargs=given)
    rows.table = whole  # for diagnostics
    return rows


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


def found(path: str) -> list[str]:
    """The files of a path or a pattern such as `part-*.jsonl`, sorted. Raises Failed (X506)."""
    files = [path] if Path(path).is_file() else sorted(glob(path))
    if not files:
        raise Failed(Diagnostic("X506", "cannot read the data: No such file", file=path))
    return files


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


def strings(
    values: Sequence, rows: Any, name: str, column: str, split: str, first: int = 0
) -> list[str]:
    """The values of a column of `rows` from number `first` on.

    Raises Failed (X506) if one is no string.
    """
    found = list(values)
    wrong = [i for i, v in enumerate(found) if not isinstance(v, str)]
    if not wrong:
        return found
    value = found[wrong[0]]
    shown = json.dumps(value, default=str)[:60]
    kind = "empty (null)" if value is None else f"not a string but `{shown}`"
    table = rows if isinstance(rows, Table) else getattr(rows, "table", None)
    if table is not None:
        where = table.no_text(column)
    else:
        where = f"row {first + wrong[0] + 1} in `{split}` of `{name}`"
    message = f"{where}: column `{column}` is {kind}"
    hint = "choose another column, or correct these rows"
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
    tables: Mapping[str, Any],
    split: str,
    columns: Sequence[str],
    name: str,
    n: int,
    inside: Callable[[dict[str, list]], bool],
) -> dict[str, list]:
    """The first `n` records of a split of a stream, by column.

    `inside`: is a record, as a batch of one, in the split? Raises Failed (X506).
    """
    every = batches_of(tables.get(split, tables["train"]), 1, name)
    kept = list(islice(filter(inside, every), n))
    return {c: [record[c][0] for record in kept] for c in columns}
