"""Text of a file, of a column of a table or of a data set of the hub, cut into equal blocks.

The text is one sequence of tokens: characters, bytes, or the subwords of a tokenizer.json. Blocks
do not overlap and have no EOS. Training drops the remainder after its last block; the last block of
validation and test is shorter, so that each token is scored once. The alphabet is every character
of the three splits, so every character has a probability; nothing else leaks between splits.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.metrics import entropy
from xlm_spec.runtime.data.preprocess import cached, key_of
from xlm_spec.runtime.data.streams import Encoded, RecordStream
from xlm_spec.runtime.data.tokenizers import (
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
    located,
    tokenizer_of,
)
from xlm_spec.runtime.tasks.corpus import (
    Source,
    absolute,
    cut_from,
    first_of,
    is_table,
    lines_of,
    part_of,
    read_file,
    strings,
)
from xlm_spec.runtime.tasks.task import DEFAULTS, Metric, Rows, Settings, small

PATHS = ("file", "val_file", "test_file")
LONG = 2**20  # characters of a text whose tokens are cached
METRICS = {"entropy": Metric(entropy)}
TEXT_DEFAULTS: Settings = {**DEFAULTS, "train.sample_examples": 4}


@dataclass(frozen=True)
class Options:
    """The text and its blocks.

    Also known as:
        file: path, train_file, text_file, data_path, filename
        val_file: valid_file, validation_file, dev_file, eval_file
        hub: hf_dataset, dataset_name, dataset_id, repo_id
        hub_config: dataset_config, dataset_config_name, config_name, subset
        column: text_column, text_field, field
        tokenizer: tokenizer_file, tokenizer_path, tokenizer_name, vocab
        block: block_size, seq_len, seq_length, sequence_length, context_length, max_length,
            max_seq_length, length
    """

    file: str = ""  # UTF-8 text file; or .jsonl, .json, .csv, .tsv or .parquet with a column
    val_file: str = ""  # text file for validation; default: a twentieth from the end of the text
    test_file: str = ""  # text file for testing; default: a twentieth from the end of the text
    hub: str = ""  # data set instead of a file: its id on the Hugging Face hub, or its folder
    hub_config: str = ""  # configuration of the data set
    column: str = "text"  # column of the data set or of the file
    tokenizer: str = ""  # tokenizer.json, id on the hub, or bytes; default: characters
    block: int = 128  # tokens per block; in [2, inf)
    streaming: bool = False  # read the training data as they are needed
    buffer: int = 10_000  # records of a stream that are shuffled together; in [1, inf)
    shards: int = 0  # logical shards of a stream; 0: a divisor of those of the data; in [0, inf)
    passes: int = 0  # passes over a stream, then the run ends (X506); 0: no limit; in [0, inf)
    held_out: int = 1_000  # records of a stream for validation, and for testing; in [1, inf)


@dataclass(frozen=True)
class Text:
    """Running text. `stored` is the tokenizer of a checkpoint, independent of the data."""

    options: Options = Options()
    stored: Tokenizer | None = None

    name, ends, samples, metrics, defaults = "text", False, 64, METRICS, TEXT_DEFAULTS
    paths = (*PATHS, "hub", "tokenizer")  # options with paths relative to the folder of the spec

    def with_options(self, options: Options, tokenizer: Tokenizer | None = None) -> "Text":
        """With absolute paths, so that a run finds its text from any folder."""
        paths = {k: absolute(getattr(options, k)) for k in PATHS}
        paths["tokenizer"] = located(options.tokenizer)
        paths["hub"] = absolute(options.hub) if Path(options.hub).is_dir() else options.hub
        resolved = replace(options, **paths)  # type: ignore[arg-type]
        stored = None if isinstance(tokenizer, WordTokenizer) else tokenizer  # of another task
        return replace(self, options=resolved, stored=stored)

    @property
    def sizes(self) -> Mapping[str, Settings]:
        return {
            "cpu": {
                **small(1 + self.options.block, warmup=50, steps=480),
                "backbone.width": 128,
                "train.batch": 32,
                "train.lr": 2e-3,
            },
            "paper": {},
        }

    @property
    def longest_prompt(self) -> int:
        return self.options.block - 1

    @property
    def longest_answer(self) -> int:
        return self.options.block

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Raises Failed (X506-X508)."""
        if self.stored:
            return self.stored
        if self.options.tokenizer:
            return tokenizer_of(self.options.tokenizer)
        if self.options.streaming:
            message = "a stream requires data.tokenizer: its characters are not known in advance"
            raise Failed(Diagnostic("X506", message, "name a tokenizer.json"))
        return CharacterTokenizer("".join(sorted(set().union(*self.texts.values()))))

    @cached_property
    def texts(self) -> dict[str, str]:
        """The splits `train`, `val` and `test`. Raises Failed (X506, X508)."""
        o = self.options
        if bool(o.file) == bool(o.hub):
            message = "task `text` requires either a file or a data set"
            raise Failed(Diagnostic("X506", message, "--set data.file=PATH, or --set data.hub=ID"))
        if o.streaming:
            return {split: self.held_out(split) for split in ("val", "test")}
        hub = o.hub and lines_of(Source(hub=o.hub, config=o.hub_config), o.column)
        splits = hub or {"train": text_of(o.file, o.column)}
        files = {"val": o.val_file, "test": o.test_file}
        return complete(splits | {k: text_of(f, o.column) for k, f in files.items() if f})

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The splits that a stream has. Raises Failed: X506, X508."""
        o = self.options
        files = {"train": o.file, "val": o.val_file, "test": o.test_file}
        source = Source({k: f for k, f in files.items() if f}, o.hub, o.hub_config)
        return source.load({"data.column": o.column}, streaming=True)

    def records(self, batch: Mapping[str, list], split: str) -> str:
        """The text of records of a stream, those of the split. Raises Failed (X506)."""
        o, cut = self.options, cut_from(self.tables)
        rows = self.tables.get(split, self.tables["train"])
        found = strings(batch[o.column], rows, o.hub or o.file, o.column, split)
        if split in ("train", *cut):
            found = [t for t in found if part_of(t, cut) == split]
        return "".join(f"{t}\n" for t in found)

    def held_out(self, split: str) -> str:
        """The first records of a split of a stream. Raises Failed (X506)."""
        o = self.options
        given = [o.column], o.hub or o.file, o.held_out
        records = first_of(self.tables, split, *given, lambda r: bool(self.records(r, split)))
        return self.records(records, split)

    @property
    def stream(self) -> RecordStream | None:
        """The training data, with `data.streaming`. Raises Failed: X506, X508."""
        o = self.options
        if not o.streaming:
            return None
        return RecordStream(
            self.tables["train"], self.encode, o.buffer, o.shards, o.hub or o.file, o.passes
        )

    def encode(self, records: Mapping[str, list], rest: list[int]) -> Encoded:
        """Whole blocks of records of training; the tokens after the last one are left over.

        Raises Failed: X502, X506.
        """
        ids = rest + self.tokenizer.encode(self.records(records, "train"))
        n = len(ids) // self.options.block * self.options.block
        whole = torch.tensor(ids[:n], dtype=torch.long)
        return Encoded(blocks(whole, self.options.block, rest=False), ids[n:])

    @property
    def sequences(self) -> str:
        """What a sequence is, for tables and records."""
        return f"wrapped, {self.options.block} tokens"

    def characters(self, split: str) -> int:
        return len(self.texts[split])

    def bytes(self, split: str) -> int:
        """Bytes of the same text in UTF-8."""
        return len(self.texts[split].encode())

    def report_unknown(self, ids: Tensor, split: str) -> None:
        """Prints the share of unknown tokens, which the model learns as one token."""
        unknown = getattr(self.tokenizer, "unknown", None)
        n = 0 if unknown is None else int((ids == unknown).sum())
        if n:
            share = f"{n:,} of {len(ids):,} tokens ({n / len(ids):.2%})"
            print(f"{share} of split `{split}` are unknown to the tokenizer", file=sys.stderr)

    def ids(self, split: str) -> Tensor:
        """The tokens of a split, (n,). Those of a long text are kept in the cache."""
        text, tokenizer = self.texts[split], self.tokenizer
        if len(text) < LONG:
            return torch.tensor(tokenizer.encode(text), dtype=torch.long)
        what = blake2b(text.encode()).hexdigest(), tokenizer.state
        key = key_of(*what, code=[sys.modules[__name__]], classes=[type(self), type(tokenizer)])

        def encoded() -> dict:
            return {"ids": torch.tensor(tokenizer.encode(text), dtype=torch.int32)}

        return cached(f"text-{key}", encoded)["ids"]

    def rows(self, split: str) -> Rows:
        """Raises Failed: X506 if the split is too short, X502 for an unknown character."""
        if split == "train" and self.stream:
            return self.stream.sample
        ids = self.ids(split)
        self.report_unknown(ids, split)
        least = self.options.block if split == "train" else 1
        if len(ids) < least:
            message = f"split `{split}` has {len(ids)} tokens, but at least {least} are required"
            raise Failed(Diagnostic("X506", message, "use a longer text or a smaller data.block"))
        return blocks(ids, self.options.block, rest=split != "train")


def text_of(file: str, column: str) -> str:
    """The text of a file; of a table, a column with one line per row. Raises Failed: X506, X508."""
    if not is_table(file):
        return read_file(file)
    return lines_of(Source({"train": file}), column)["train"]


def complete(splits: Mapping[str, str]) -> dict[str, str]:
    """All three splits; a missing one is a twentieth, cut from the end of `train`."""
    text, cut = splits["train"], [k for k in ("val", "test") if k not in splits]
    size = len(text) // 20
    first = len(text) - size * len(cut)
    ends = {k: text[first + i * size : first + (i + 1) * size] for i, k in enumerate(cut)}
    return {**splits, "train": text[:first], **ends}


def blocks(ids: Tensor, size: int, rest: bool) -> Rows:
    """Consecutive blocks (N, size); with `rest` the last one may be shorter."""
    n = -(-len(ids) // size) if rest else len(ids) // size
    padded = torch.nn.functional.pad(ids, (0, max(0, n * size - len(ids))))[: n * size]
    length = (len(ids) - size * torch.arange(n)).clamp(max=size)
    empty = torch.zeros(n, 0, dtype=torch.long)
    return Rows(empty, torch.zeros_like(length), padded.view(n, size), length)


TASK = Text()
