"""The documents of a corpus: where each split begins and ends, read in batches or as a stream."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.streams import batches_of
from xlm_spec.runtime.tasks.corpus import library, part_of, strings
from xlm_spec.runtime.tasks.tables import Table, content_digest, lines_in, records_of

BATCH = 1_000  # documents that are read together
SHARDS = 64  # of a data set on disk that is read as a stream


@dataclass(frozen=True)
class Lines:
    """The lines of text files, with their ends, as a column of documents."""

    files: tuple[str, ...]
    column: str

    def iter(self, batch_size: int) -> Iterator[dict[str, list]]:
        every = lines_of(self.files, (self.column,))
        while batch := [record[self.column] for record in islice(every, batch_size)]:
            yield {self.column: batch}

    @cached_property
    def size(self) -> int:
        return sum(1 for _ in lines_of(self.files, (self.column,)))

    def __len__(self) -> int:
        return self.size

    @cached_property
    def fingerprint(self) -> str:
        return " ".join(f"lines {content_digest(f)}" for f in self.files)


def lines_of(files: Sequence[str], columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """The lines of UTF-8 files as records. Raises Failed (X506)."""
    try:
        for path in files:
            for line in lines_in(path):
                yield {columns[0]: line}
    except OSError as e:
        raise Failed(Diagnostic("X506", f"cannot read the text: {e.strerror}")) from None


@dataclass(frozen=True)
class Documents:
    """The documents `first` to `last` of a split, of which `among` may keep a share.

    `among`: the splits that are shares of this one, chosen by a digest of the document. `most`:
    documents, from the first that is kept; 0: all.
    """

    rows: Any  # Table, Lines, or a Dataset or IterableDataset of the library datasets
    column: str
    name: str  # of the corpus, for messages
    split: str
    first: int = 0
    last: int | None = None
    among: tuple[str, ...] = ()
    most: int = 0

    def batches(self) -> Iterator[list[str]]:
        """The texts, at most BATCH at a time. Raises Failed (X506)."""
        left = self.most
        for batch in batches_of(self.part, BATCH, self.name):
            texts = self.kept(batch)
            if self.most:
                texts = texts[:left]
                left -= len(texts)
            if texts:
                yield texts
            if self.most and not left:
                return

    def kept(self, batch: Mapping[str, list]) -> list[str]:
        """The documents of some records that belong to the split. Raises Failed (X506)."""
        texts = strings(batch[self.column], self.rows, self.name, self.column, self.split)
        return [t for t in texts if not self.among or part_of(t, self.among) == self.split]

    @property
    def part(self) -> Any:
        """The records from `first` to `last`."""
        if not self.first and self.last is None:
            return self.rows
        if hasattr(self.rows, "select"):
            end = len(self.rows) if self.last is None else self.last
            return self.rows.select(range(self.first, end))
        return Between(self.rows, self.column, self.first, self.last)

    @property
    def total(self) -> int:
        """Batches at most; 1 if it is not known."""
        if not hasattr(self.rows, "__len__"):
            return 1
        end = len(self.rows) if self.last is None else self.last
        return -(-(end - self.first) // BATCH)

    def stream(self) -> Any:
        """The records as an IterableDataset of the library datasets, a shard for each file."""
        part = self.part
        if hasattr(part, "to_iterable_dataset"):
            return part.to_iterable_dataset(num_shards=min(SHARDS, max(1, len(part))))
        if not isinstance(self.rows, Table | Lines):
            return part
        given = {"parts": self.parts(), "columns": (self.column,)}
        plain = isinstance(self.rows, Lines)
        rows = library().IterableDataset.from_generator(
            lines_between if plain else records_between, gen_kwargs=given
        )
        rows.table = self.rows if isinstance(self.rows, Table) else None
        return rows

    def parts(self) -> list[tuple[str, int, int | None]]:
        """The files, each with its first record and the one after its last."""
        files = self.rows.files
        if not self.first and self.last is None:
            return [(f, 0, None) for f in files]
        found, at = list[tuple[str, int, int | None]](), 0
        for file in files:
            size = len(replace(self.rows, files=(file,)))
            first, last = max(0, self.first - at), min(size, (self.last or 2**62) - at)
            found += [(file, first, last)] if first < last else []
            at += size
        return found


@dataclass(frozen=True)
class Between:
    """Some records of a table."""

    rows: Any
    column: str
    first: int
    last: int | None

    def iter(self, batch_size: int) -> Iterator[dict[str, list]]:
        every = (v for batch in self.rows.iter(batch_size) for v in batch[self.column])
        chosen = islice(every, self.first, self.last)
        while batch := list(islice(chosen, batch_size)):
            yield {self.column: batch}


def records_between(parts: list, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Records `first` to `last` of each file; a stream divides the list among its shards."""
    for file, first, last in parts:
        yield from islice(records_of([file], columns), first, last)


def lines_between(parts: list, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for file, first, last in parts:
        yield from islice(lines_of([file], columns), first, last)
