"""Corpora by name: documents of a data set, detokenised, encoded, and made into sequences.

A file beside this one defines each corpus. Sequences are `wrapped`: the documents, each followed by
the separator, are one sequence of tokens that is cut into blocks, as in the task `text`; or a
document each, with EOS after it: `padded` leaves out longer documents, `truncated` cuts them.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data import detokenizers, pieces, preprocess, rows, streams, tokenizers
from xlm_spec.runtime.data.detokenizers import DETOKENIZERS
from xlm_spec.runtime.data.pieces import Form, documents_of
from xlm_spec.runtime.data.preprocess import cached, key_of, mapped
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.data.streams import Encoded, RecordStream
from xlm_spec.runtime.data.tokenizers import (
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
    located,
    tokenizer_of,
)
from xlm_spec.runtime.tasks import corpus, documents
from xlm_spec.runtime.tasks.corpus import Source, absolute, cut_from, is_table
from xlm_spec.runtime.tasks.documents import Documents, Lines
from xlm_spec.runtime.tasks.task import UNCONDITIONAL, Settings, small
from xlm_spec.runtime.tasks.text import TEXT_DEFAULTS, blocks

FILES = ("file", "val_file", "test_file")
CHARACTERS = "characters"  # a value of `tokenizer`
HELD_OUT = 1_000  # documents of a stream for validation, and for testing


@dataclass(frozen=True)
class Options:
    """The data of a corpus, its tokens and its sequences.

    Also known as:
        sequences: wrap, wrapping, packing
        detokenizer: detokeniser
        separator: document_separator
        carve: n_val, validation_size, held_out_documents
    """

    file: str = ""  # local file instead of the data set: text, or a table with the column
    val_file: str = ""  # local file for validation
    test_file: str = ""  # local file for testing
    hub: str = ""  # id of the data set on the Hugging Face hub, or a folder of its format
    hub_config: str = ""  # configuration of the data set
    column: str = "text"  # column of the documents
    carve: int = 0  # documents at the end of train for validation; 0: own splits; in [0, inf)
    tokenizer: str = ""  # bytes, characters, a tokenizer.json, or an id on the hub
    detokenizer: Literal["none", "wikitext", "lm1b"] = "none"  # rules that join words and marks
    sequences: Literal["wrapped", "padded", "truncated"] = "wrapped"  # of documents
    separator: str = ""  # text after each document of wrapped sequences
    block: int = 128  # tokens of a sequence, without BOS; in [2, inf)
    streaming: bool = False  # read the training data as they are needed
    buffer: int = 10_000  # records of a stream that are shuffled together; in [1, inf)
    shards: int = 0  # logical shards of a stream; 0: a divisor of those of the data; in [0, inf)
    passes: int = 0  # passes over a stream, then the run ends (X506); 0: no limit; in [0, inf)


@dataclass(frozen=True)
class Language:
    """A corpus. `stored` is the tokenizer of a checkpoint.

    `unit`: what `carve` counts. Characters and bytes are carved twice from the end of all text:
    validation, then test. Documents are carved once, and serve both.
    """

    name: str
    options: Options
    unit: Literal["documents", "characters", "bytes"] = "documents"
    alphabet: str = ""  # of the tokenizer `characters`; empty: that of all splits
    stored: Tokenizer | None = None

    samples, metrics, defaults = 64, UNCONDITIONAL, TEXT_DEFAULTS
    paths = (*FILES, "hub", "tokenizer")  # options with paths relative to the folder of the spec

    def with_options(self, options: Options, tokenizer: Tokenizer | None = None) -> "Language":
        """With absolute paths, so that a run finds its corpus from any folder."""
        paths = {k: absolute(getattr(options, k)) for k in FILES}
        paths["hub"] = options.hub
        if Path(options.hub).is_dir():
            paths["hub"] = absolute(options.hub)
            own = options.hub_config == self.options.hub_config  # that of the id, not of a folder
            paths["hub_config"] = "" if own else options.hub_config
        if options.tokenizer != CHARACTERS:
            paths["tokenizer"] = located(options.tokenizer)
        stored = None if isinstance(tokenizer, WordTokenizer) else tokenizer  # of another task
        resolved = replace(options, **paths)  # type: ignore[arg-type]
        return replace(self, options=resolved, stored=stored)

    @property
    def sizes(self) -> Mapping[str, Settings]:
        return {
            "cpu": {
                **small(2 + self.options.block, warmup=50, steps=480),
                "backbone.width": 128,
                "train.batch": 32,
                "train.lr": 2e-3,
            },
            "paper": {},
        }

    @property
    def ends(self) -> bool:
        return self.options.sequences != "wrapped"

    @property
    def longest_prompt(self) -> int:
        return 0 if self.ends else self.options.block - 1

    @property
    def longest_answer(self) -> int:
        return self.options.block

    @property
    def sequences(self) -> str:
        """What a sequence is, for tables and records."""
        o = self.options
        return f"{o.sequences}, {'at most ' * self.ends}{o.block} tokens"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Raises Failed (X506-X508)."""
        if self.stored:
            return self.stored
        o = self.options
        if o.tokenizer != CHARACTERS:
            return tokenizer_of(o.tokenizer)
        if self.alphabet:
            return CharacterTokenizer(self.alphabet)
        if o.streaming:
            message = "the characters of a stream are not known in advance"
            raise Failed(Diagnostic("X506", message, "data.tokenizer=bytes needs no alphabet"))
        found = set(o.separator)
        for split in self.splits:
            for texts in self.texts(split):
                found.update(*map(DETOKENIZERS[o.detokenizer], texts))
        return CharacterTokenizer("".join(sorted(found)))

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The splits of the data set or of the files. Raises Failed: X506, X508."""
        o = self.options
        files = {s: f for s, f in zip(("train", "val", "test"), self.files, strict=True) if f}
        if files and "train" not in files:
            message = f"task `{self.name}` requires data.file beside the files of other splits"
            raise Failed(Diagnostic("X506", message, "--set data.file=PATH"))
        if files and not any(map(is_table, files.values())):
            return {s: Lines((f,), o.column) for s, f in files.items()}
        source = Source(files, "" if files else o.hub, o.hub_config)
        remote = o.streaming and not o.carve and not files  # carved from a copy on disk
        return source.load({"data.column": o.column}, streaming=remote)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(getattr(self.options, k) for k in FILES)

    @cached_property
    def splits(self) -> dict[str, Documents]:
        """The documents of `train`, `val` and `test`. Raises Failed: X506, X508.

        Of a corpus with one held-out split, that split is both `val` and `test`; of one without
        any, a digest chooses a twentieth of the documents for each.
        """
        tables, o = self.tables, self.options
        if o.carve and self.unit == "documents" and len(tables) == 1:
            n = len(tables["train"]) - o.carve
            if n < 1:
                message = f"`train` has {n + o.carve:,} documents, of which data.carve={o.carve} "
                message += "leaves none for training"
                raise Failed(Diagnostic("X506", message, "carve fewer: --set data.carve=N"))
            held = self.part(tables["train"], "val", first=n)
            return {"train": self.part(tables["train"], "train", last=n), "val": held, "test": held}
        missing = cut_from(tables)
        if len(missing) == 2:
            among, rows = ("val", "test"), tables["train"]
            limit = HELD_OUT if o.streaming else 0
            found = {s: self.part(rows, s, among=among, most=limit) for s in among}
            return {"train": self.part(rows, "train", among=among), **found}
        whole = {s: self.part(t, s) for s, t in tables.items()}
        return whole | {s: whole["test" if s == "val" else "val"] for s in missing}

    def part(self, rows: Any, split: str, **of: Any) -> Documents:
        return Documents(rows, self.options.column, self.name, split, **of)

    def texts(self, split: str):
        """The documents in batches; of a text that is carved, its part. Raises Failed (X506)."""
        if self.unit == "documents" or not self.options.carve:
            return self.splits[split].batches()
        return iter([[self.carved[split]]])

    @cached_property
    def carved(self) -> dict[str, str]:
        """The three parts of all text, in `unit`s. Raises Failed (X506)."""
        n, text = self.options.carve, self.whole
        content: Any = text.encode("utf-8", "surrogateescape") if self.unit == "bytes" else text
        if len(content) <= 2 * n:
            message = f"`{self.name}` has {len(content):,} {self.unit}, of which "
            message += f"data.carve={n} leaves none for training"
            raise Failed(Diagnostic("X506", message, "carve fewer: --set data.carve=N"))
        parts = {"train": content[: -2 * n], "val": content[-2 * n : -n], "test": content[-n:]}
        if self.unit == "bytes":
            return {s: p.decode("utf-8", "surrogateescape") for s, p in parts.items()}
        return parts

    @property
    def whole(self) -> str:
        """All text, in the order of the splits. Raises Failed: X506, X508."""
        if self.options.file and not is_table(self.options.file):
            try:
                content = Path(self.options.file).read_bytes()
            except OSError as e:
                file = self.options.file
                message = f"cannot read the text: {e.strerror}"
                raise Failed(Diagnostic("X506", message, file=file)) from None
            return content.decode("utf-8", "surrogateescape")
        rows = [self.part(t, s) for s in ("train", "val", "test") if (t := self.tables.get(s))]
        texts = [t for part in rows for batch in part.batches() for t in batch]
        return ("\n" if self.unit == "bytes" else "").join(texts)  # rows of enwik8 are its lines

    @property
    def form(self) -> Form:
        o = self.options
        if self.ends:
            return Form(self.tokenizer, o.detokenizer, "", o.block, o.sequences == "truncated")
        return Form(self.tokenizer, o.detokenizer, o.separator)

    def encoded(self, split: str) -> dict[str, Tensor]:
        """The Piece of a split, from the cache. Raises Failed: X502, X504, X506."""
        form, held = self.form, self.options.carve and self.unit != "documents"
        source = self.whole_digest if held else self.fingerprint(split)
        what = source, split, self.options.carve, form, form.tokenizer.state
        key = key_of(*what, code=CODE, classes=[type(form.tokenizer)])

        def made() -> dict[str, Tensor]:
            total = 1 if held else self.splits[split].total
            label = f"encoding split `{split}`"
            found = [*mapped(form.piece, self.texts(split), label, total)]
            if not found:
                hint = "use more documents, or another data.carve"
                raise Failed(Diagnostic("X506", f"split `{split}` has no documents", hint))
            ids, lengths, counts = zip(*found, strict=True)
            return {
                "ids": torch.cat(ids),
                "lengths": torch.cat(lengths),
                "counts": torch.stack(counts).sum(0),
            }

        return cached(f"corpus-{key}", made)

    @cached_property
    def whole_digest(self) -> str:
        return blake2b(self.whole.encode("utf-8", "surrogateescape")).hexdigest()

    def fingerprint(self, split: str) -> str:
        """What identifies the documents of a split: contents of files, or those of the library.

        Of a stream from the hub, its id and configuration, as the library states no revision.
        """
        part, o = self.splits[split], self.options
        of_rows = getattr(part.rows, "fingerprint", None)
        where = "" if of_rows else Source(hub=o.hub).folder_digest
        own = of_rows or f"{getattr(part.rows, '_fingerprint', o.hub)} {where}"
        own = f"{own} {o.hub_config} {o.column}"
        return f"{own} {part.first} {part.last} {part.among} {part.most} {part.split}"

    def rows(self, split: str) -> Rows:
        """Raises Failed: X502, X504, X506."""
        if split == "train" and self.stream:
            return self.stream.sample
        found, o = self.encoded(split), self.options
        self.report(found["counts"].tolist(), split)
        if self.ends:
            return documents_of(found["ids"], found["lengths"], o.block)
        ids, least = found["ids"], o.block if split == "train" else 1
        if len(ids) < least:
            message = f"split `{split}` has {len(ids)} tokens, but at least {least} are required"
            raise Failed(Diagnostic("X506", message, "use more text or a smaller data.block"))
        return blocks(ids, o.block, rest=split != "train")

    def report(self, counts: list[int], split: str) -> None:
        """Prints how many tokens were cut, and documents left out."""
        documents, _, _, cut, out = counts
        if cut:
            print(f"{cut:,} tokens of split `{split}` are cut off", file=sys.stderr)
        if out:
            line = f"{out:,} of {documents + out:,} documents of split `{split}` are longer and "
            print(f"{line}left out", file=sys.stderr)

    def characters(self, split: str) -> int:
        """Characters of the text that is scored: detokenised, with its separators, as cut."""
        return int(self.encoded(split)["counts"][1])

    def bytes(self, split: str) -> int:
        """Bytes of the same text in UTF-8."""
        return int(self.encoded(split)["counts"][2])

    @property
    def stream(self) -> RecordStream | None:
        """The training data, with `data.streaming`. Raises Failed: X506, X508."""
        o = self.options
        if not o.streaming or (o.carve and self.unit != "documents"):
            return None
        records = self.splits["train"].stream()
        return RecordStream(records, self.encode, o.buffer, o.shards, self.name, o.passes)

    def encode(self, records: Mapping[str, list], rest: list[int]) -> Encoded:
        """The sequences of some records, and the tokens left over. Raises Failed: X502, X506."""
        found, block = self.form.piece(self.splits["train"].kept(records)), self.options.block
        if self.ends:
            return Encoded(documents_of(found.ids, found.lengths, block))
        ids = torch.cat([torch.tensor(rest, dtype=torch.int32), found.ids])
        n = len(ids) // block * block
        return Encoded(blocks(ids[:n].long(), block, rest=False), ids[n:].tolist())


CODE = (
    sys.modules[__name__],
    corpus,
    detokenizers,
    documents,
    pieces,
    preprocess,
    rows,
    streams,
    tokenizers,
)
