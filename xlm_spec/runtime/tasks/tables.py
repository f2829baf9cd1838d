"""Records of local files: JSON Lines, JSON, CSV, TSV, Parquet and .smi, with each text as it is.

The library datasets infers types, which alters texts that look like dates or numbers, and keeps
its copy of a file as long as the file's time is the same.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, first_line

Record = tuple[int, dict[str, Any]]  # number of its line or row, from 1, and its values


@dataclass(frozen=True)
class Table:
    """Some columns of files, read anew at each pass."""

    files: tuple[str, ...]
    columns: tuple[str, ...]

    def iter(self, batch_size: int) -> Iterator[dict[str, list]]:
        """Records in batches, by column. Raises Failed (X506)."""
        every = records_of(self.files, self.columns)
        while batch := list(islice(every, batch_size)):
            yield {c: [record[c] for record in batch] for c in self.columns}

    @cached_property
    def size(self) -> int:
        return sum(1 for _ in records_of(self.files, self.columns))

    def __len__(self) -> int:
        return self.size

    @cached_property
    def fingerprint(self) -> str:
        """The formats of its files and the digests of their contents."""
        return " ".join(f"{Path(f).suffix.lower()} {content_digest(f)}" for f in self.files)

    def no_text(self, column: str) -> str:
        """Where the first value of a column is that is no string, e.g. "line 7 of `a.jsonl`"."""
        every = (
            place(path, line)
            for path in self.files
            for line, record in read(path, self.columns)
            if not isinstance(record.get(column), str)
        )
        return next(every, f"`{self.files[0]}`")


def content_digest(path: str | Path) -> str:
    """SHA-256 of a file. Raises Failed (X506)."""
    try:
        with open(path, "rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as e:
        raise unreadable(str(path), e.strerror or str(e)) from None


def records_of(files: Sequence[str], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The records of files. Raises Failed (X506) with the line of one that lacks a column."""
    for path in files:
        for line, record in read(path, columns):
            yield {c: value_of(record, c, path, line) for c in columns}


def columns_in(files: Sequence[str]) -> list[str]:
    """The columns of the first record. Raises Failed (X506) if there is none."""
    for path in files:
        for _, record in read(path):
            return list(record)
    raise Failed(Diagnostic("X506", "the file has no records", file=files[0]))


def value_of(record: dict[str, Any], column: str, path: str, line: int) -> Any:
    if column not in record:
        message = f"{place(path, line)} has no column `{column}`"
        raise Failed(Diagnostic("X506", message, f"it has {', '.join(record)}"))
    value = record[column]
    try:
        if isinstance(value, str):
            value.encode()
        return value
    except UnicodeEncodeError:
        message = f"{place(path, line)}: column `{column}` has half of a surrogate pair"
        raise Failed(Diagnostic("X506", message, "not text: correct the row")) from None


def place(path: str, line: int) -> str:
    what = "row" if Path(path).suffix.lower() in (".json", ".parquet") else "line"
    return f"{what} {line} of `{path}`"


def unreadable(path: str, reason: str) -> Failed:
    return Failed(Diagnostic("X506", f"cannot read the data: {reason}", file=path))


def read(path: str, columns: Sequence[str] | None = None) -> Iterator[Record]:
    """The records of a file, by its suffix; of Parquet these columns. Raises Failed (X506)."""
    kind = Path(path).suffix.lower()
    try:
        if kind == ".parquet":
            yield from of_parquet(path, columns)
        elif kind in (".csv", ".tsv"):
            yield from of_cells(path, kind == ".tsv")
        elif kind in (".smi", ".smiles"):
            yield from of_molecules(path)
        elif kind == ".json" and (array := array_of(path)) is not None:
            yield from enumerate(array, 1)
        else:
            yield from of_lines(path)
    except OSError as e:
        raise unreadable(path, e.strerror or str(e)) from None


def lines_in(path: str) -> Iterator[str]:
    """The lines of a file, with their ends, without a byte order mark."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                message = f"line {number} of `{path}` is not UTF-8 text"
                raise Failed(Diagnostic("X506", message)) from None


def of_lines(path: str) -> Iterator[Record]:
    """The records of JSON Lines; empty lines are none."""
    for number, line in enumerate(lines_in(path), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as e:
            message = f"line {number} of `{path}` is not JSON: {first_line(e)}"
            hint = "each line is one object; a JSON array is a file .json"
            raise Failed(Diagnostic("X506", message, hint)) from None
        yield number, mapping(record, path, f"line {number}")


def of_molecules(path: str) -> Iterator[Record]:
    """The first word of each line as the column `smiles`; empty lines and a header are none."""
    for number, line in enumerate(lines_in(path), 1):
        words = line.split(maxsplit=1)
        if words and not (number == 1 and words[0].lower() == "smiles"):
            yield number, {"smiles": words[0]}


def array_of(path: str) -> list[dict] | None:
    """The records of a JSON array; None if the file begins with anything else."""
    first = next((line for line in lines_in(path) if line.strip()), "")
    if not first.lstrip().startswith("["):
        return None
    try:
        rows = json.loads("".join(lines_in(path)))
    except (ValueError, RecursionError) as e:
        message = f"`{path}` is not JSON: {first_line(e)}"
        raise Failed(Diagnostic("X506", message)) from None
    return [mapping(row, path, f"row {i}") for i, row in enumerate(rows, 1)]


def mapping(record: Any, path: str, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        message = f"{where} of `{path}` is a {type(record).__name__}, no object"
        raise Failed(Diagnostic("X506", message, 'write {"prompt": "...", "answer": "..."}'))
    return record


def of_cells(path: str, tabs: bool) -> Iterator[Record]:
    """The rows of CSV, whose cells may be quoted, or of TSV, where a quote is any character."""
    csv.field_size_limit(sys.maxsize)
    form: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if tabs else {}
    rows = csv.reader(lines_in(path), strict=True, **form)
    header: list[str] = []
    begin = 1  # line where the row begins: a quoted cell may have several
    try:
        for row in rows:
            begin, line = rows.line_num + 1, begin
            if not row:
                continue
            if not header:
                header = row
                if len(set(header)) < len(header):
                    twice = next(h for h in header if header.count(h) > 1)
                    message = f"the header of `{path}` has two columns `{twice}`"
                    raise Failed(Diagnostic("X506", message, "rename one of them"))
                continue
            if len(row) != len(header):
                message = f"line {line} of `{path}` has {len(row)} cells, but the header has "
                hint = "" if tabs else 'quote a cell that contains a comma: "a, b"'
                raise Failed(Diagnostic("X506", f"{message}{len(header)}", hint))
            yield line, dict(zip(header, row, strict=True))
    except csv.Error as e:
        message = f"line {begin} of `{path}` is not a row of a table: {e}"
        hint = "" if tabs else 'in a quoted cell write a quote twice: "say ""hi"""'
        raise Failed(Diagnostic("X506", message, hint)) from None


def of_parquet(path: str, columns: Sequence[str] | None) -> Iterator[Record]:
    """Raises Failed: X506, X508 without the library."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        message = "a .parquet file requires the library pyarrow"
        raise Failed(Diagnostic("X508", message, "pip install 'xlm-spec[train]'")) from None
    number = 0
    try:
        with ParquetFile(path) as file:
            known = (
                None if columns is None else [c for c in columns if c in file.schema_arrow.names]
            )
            for batch in file.iter_batches(columns=known):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
    except ArrowException as e:
        raise unreadable(path, first_line(e)) from None
