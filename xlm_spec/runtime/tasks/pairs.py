"""Prompts and answers from two columns of a data set: JSON Lines, CSV, Parquet, or of the hub.

Tokens are words, characters, or the subwords of a tokenizer.json. A missing split is a twentieth of
the rows, chosen by a digest of the prompt's tokens: rows with the same prompt are in one split.
Without a column of prompts (`data.prompt=`) the sequences are unconditional.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data import preprocess, rows, tokenizers
from xlm_spec.runtime.data.preprocess import cached, is_cached, key_of, mapped
from xlm_spec.runtime.data.rows import Rows, joined, padded_rows
from xlm_spec.runtime.data.streams import Encoded, RecordStream, batches_of
from xlm_spec.runtime.data.tokenizers import (
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
    located,
    tokenizer_of,
)
from xlm_spec.runtime.tasks import corpus, tables
from xlm_spec.runtime.tasks.corpus import (
    Source,
    absolute,
    cut_from,
    first_of,
    part_of,
    strings,
)
from xlm_spec.runtime.tasks.drawn import Pairs as Pairs  # task files import it from here
from xlm_spec.runtime.tasks.task import (
    ACCURACY,
    DEFAULTS,
    UNCONDITIONAL,
    Metric,
    Settings,
    small,
)

PATHS = ("file", "val_file", "test_file")
BATCH = 1_000  # rows that are read and encoded together
Texts = tuple[list[str], list[str]]  # prompts and answers


@dataclass(frozen=True)
class Options:
    """The data set and its columns.

    Also known as:
        prompt: prompt_column, source_column, input_column
        answer: answer_column, target_column, output_column, label_column
        longest_prompt: max_prompt_length, max_source_length, input_block_size
        longest_answer: max_answer_length, max_target_length
    """

    file: str = ""  # .jsonl, .json, .csv, .tsv or .parquet, or a pattern such as part-*.jsonl
    val_file: str = ""  # rows for validation; default: a twentieth of the rows
    test_file: str = ""  # rows for testing; default: a twentieth of the rows
    hub: str = ""  # data set instead of a file: its id on the Hugging Face hub, or its folder
    hub_config: str = ""  # configuration of the data set
    prompt: str = "prompt"  # column of the prompts; empty: sequences without prompts
    answer: str = "answer"  # column of the answers
    tokenizer: str = ""  # tokenizer.json, id on the hub, or bytes; default: as `tokens` says
    tokens: Literal["words", "characters"] = "words"  # tokens without a tokenizer.json
    longest_prompt: int = 0  # tokens of the longest prompt; 0: measured; in [0, inf)
    longest_answer: int = 0  # tokens of the longest answer; 0: measured; in [0, inf)
    long: Literal["error", "drop"] = "error"  # rows that are longer: an error, or left out
    streaming: bool = False  # read the training data as they are needed
    buffer: int = 10_000  # records of a stream that are shuffled together; in [1, inf)
    shards: int = 0  # logical shards of a stream; 0: a divisor of those of the data; in [0, inf)
    passes: int = 0  # passes over a stream, then the run ends (X506); 0: no limit; in [0, inf)
    held_out: int = 1_000  # rows of a stream for validation, and for testing; in [1, inf)

    @property
    def longest(self) -> tuple[int, int]:
        """Tokens of the longest prompt and of the longest answer; 0: any number."""
        return self.longest_prompt, self.longest_answer


@dataclass(frozen=True)
class Columns:
    """Two columns of a data set. `stored` is the tokenizer of a checkpoint."""

    options: Options = Options()
    stored: Tokenizer | None = None

    name, ends, samples, defaults = "pairs", True, None, DEFAULTS
    paths = (*PATHS, "hub", "tokenizer")  # options with paths relative to the folder of the spec

    def with_options(self, options: Options, tokenizer: Tokenizer | None = None) -> "Columns":
        """With absolute paths, and with the measured lengths of prompts and answers."""
        known = {f.name for f in fields(options)}
        paths = {k: absolute(getattr(options, k)) for k in PATHS if k in known}
        if "tokenizer" in known:
            paths["tokenizer"] = located(options.tokenizer)
        paths["hub"] = absolute(options.hub) if Path(options.hub).is_dir() else options.hub
        task = replace(self, options=replace(options, **paths), stored=tokenizer)  # type: ignore
        return replace(task, options=task.measured)

    @property
    def measured(self) -> Options:
        """The options, with lengths. Raises Failed (X506)."""
        o = self.options
        if (o.longest_prompt or not o.prompt) and o.longest_answer:
            return o
        if o.streaming:
            message = "a stream requires data.longest_prompt and data.longest_answer"
            hint = "the longest row of a stream is not known in advance"
            raise Failed(Diagnostic("X506", message, hint))
        every = [self.rows(split) for split in ("train", "val", "test")]
        prompt = max(int(rows.prompt_length.max()) for rows in every)
        answer = max(int(rows.answer_length.max()) for rows in every)
        return replace(
            o, longest_prompt=o.longest_prompt or prompt, longest_answer=o.longest_answer or answer
        )

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return ACCURACY if self.options.prompt else UNCONDITIONAL

    @property
    def longest_prompt(self) -> int:
        return self.options.longest_prompt if self.options.prompt else 0

    @property
    def longest_answer(self) -> int:
        return self.options.longest_answer

    @property
    def sizes(self) -> Mapping[str, Settings]:
        return {"cpu": small(3 + self.longest_prompt + self.longest_answer), "paper": {}}

    @property
    def columns(self) -> dict[str, str]:
        """Setting -> the column that it names."""
        o = self.options
        prompt = {"data.prompt": o.prompt} if o.prompt else {}
        return prompt | {"data.answer": o.answer}

    @cached_property
    def source(self) -> Source:
        """Raises Failed (X506)."""
        o = self.options
        if bool(o.file) == bool(o.hub):
            message = "task `pairs` requires either a file or a data set"
            raise Failed(Diagnostic("X506", message, "--set data.file=PATH, or --set data.hub=ID"))
        files = {"train": o.file, "val": o.val_file, "test": o.test_file}
        other = next((f for f in files.values() if f and not corpus.is_table(f)), None)
        if other:
            message = f"`{other}` is not a table"
            hint = f"task `pairs` reads {', '.join(corpus.FORMATS)}; task `text` reads other files"
            raise Failed(Diagnostic("X506", message, hint))
        return Source({k: f for k, f in files.items() if f}, o.hub, o.hub_config)

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The splits that the data set has. Raises Failed: X506, X508."""
        return self.source.load(self.columns, self.options.streaming)

    def texts(self, split: str) -> Iterator[Texts]:
        """Prompts and answers of a split in batches. Raises Failed (X506)."""
        table, first = self.tables.get(split, self.tables["train"]), 0
        for batch in batches_of(table, BATCH, self.source.name):
            yield self.texts_of(batch, split, first)
            first += len(next(iter(batch.values())))

    def texts_of(self, batch: Mapping[str, list], split: str, first: int = 0) -> Texts:
        """The prompts and answers of records, those of the split. Raises Failed (X506)."""
        pairs, cut = self.pairs(batch, split, first), cut_from(self.tables)
        if split in ("train", *cut):
            pairs = [(p, a) for p, a in pairs if part_of(self.tokens_of(p or a), cut) == split]
        return [p for p, _ in pairs], [a for _, a in pairs]

    def pairs(self, batch: Mapping[str, list], split: str, first: int) -> list[tuple[str, str]]:
        """The prompts and answers of some records. Raises Failed (X506) if one is no string."""
        given = self.tables.get(split, self.tables["train"]), self.source.name
        columns = [strings(batch[c], *given, c, split, first) for c in self.columns.values()]
        if not self.options.prompt:
            columns.insert(0, [""] * len(columns[0]))
        return list(zip(*columns, strict=True))

    def tokens_of(self, text: str) -> str:
        """The same for texts with the same tokens. Raises Failed (X502)."""
        o = self.options
        derived = not (self.stored or o.tokenizer)  # from texts: it is not known yet
        kind = o.tokens if derived else type(self.tokenizer).__name__
        if kind in ("words", "WordTokenizer"):
            return " ".join(text.split())
        if kind in ("characters", "CharacterTokenizer"):
            return text
        return " ".join(map(str, self.tokenizer.encode(text)))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Raises Failed (X506-X508)."""
        if self.stored:
            return self.stored
        if self.options.tokenizer:
            return tokenizer_of(self.options.tokenizer)
        if self.options.streaming:
            message = "a stream requires data.tokenizer: its words are not known in advance"
            raise Failed(Diagnostic("X506", message, "name a tokenizer.json"))
        what = self.fingerprints, self.columns, self.options.tokens, self.extra_options
        key = key_of(*what, code=CODE, classes=[type(self)])
        found = cached(f"tokens-{key}", lambda: {"all": self.vocabulary()})["all"]
        if self.options.tokens == "words":
            return WordTokenizer(tuple(found))
        return CharacterTokenizer("".join(found))

    def vocabulary(self) -> list[str]:
        """The words or characters of all splits, sorted."""
        found: set[str] = set()
        for split in ("train", "val", "test"):
            for texts in self.texts(split):
                for text in (*texts[0], *texts[1]):
                    found.update(text.split() if self.options.tokens == "words" else text)
        return sorted(found)

    @property
    def fingerprints(self) -> dict[str, str]:
        """What identifies the data: the contents of files, or a revision of the hub."""
        return {split: self.source.fingerprint(rows) for split, rows in self.tables.items()}

    def rows(self, split: str) -> Rows:
        """Encoded once; later runs read the cache. Raises Failed: X502, X504, X506."""
        o = self.options
        if o.streaming:
            return self.held_out(split)
        whole = self.cache_name(split)  # of rows of any length
        if is_cached(whole) or not (self.longest_prompt or self.longest_answer):
            rows = rows_in(cached(whole, lambda: self.encoded(split)))
            widths, longest = (rows.prompt.shape[1], rows.answer.shape[1]), o.longest
            if all(w <= most or not most for w, most in zip(widths, longest, strict=True)):
                return rows
        content = cached(self.cache_name(split, o.longest, o.long), lambda: self.encoded(split))
        if content["dropped"]:
            line = f"{content['dropped']:,} rows of split `{split}` are longer and left out"
            print(line, file=sys.stderr)
        return rows_in(content)

    def held_out(self, split: str) -> Rows:
        """The first rows of a split of a stream. Raises Failed: X502, X506."""
        if split == "train" and self.stream:
            return self.stream.sample
        given = [*self.columns.values()], self.source.name, self.options.held_out
        records = first_of(self.tables, split, *given, lambda r: any(self.texts_of(r, split)))
        rows = self.short(encode_texts(self.tokenizer, self.texts_of(records, split)), split, 0)
        if not len(rows.prompt):
            raise empty(split)
        return rows

    @property
    def stream(self) -> RecordStream | None:
        """The training data, with `data.streaming`. Raises Failed: X506, X508."""
        o = self.options
        if not o.streaming:
            return None
        return RecordStream(
            self.tables["train"], self.encode, o.buffer, o.shards, self.source.name, o.passes
        )

    def encode(self, records: Mapping[str, list], rest: list[int]) -> Encoded:
        """The rows of some records of training. Raises Failed: X502, X506."""
        rows = encode_texts(self.tokenizer, self.texts_of(records, "train"))
        return Encoded(self.short(rows, "train", 0))

    def cache_name(self, split: str, *limits: object) -> str:
        what = (
            self.fingerprints,
            split,
            self.columns,
            limits,
            self.tokenizer.state,
            self.extra_options,
        )
        classes = [type(self), type(self.tokenizer)]
        return f"pairs-{key_of(*what, code=CODE, classes=classes)}"

    @property
    def extra_options(self) -> dict[str, object]:
        """The options that a class of a task file adds."""
        known = {f.name for f in fields(Options)}
        return {k: v for k, v in vars(self.options).items() if k not in known}

    def encoded(self, split: str) -> dict:
        """The rows of a split as tensors, int32. Raises Failed: X502, X506."""
        total = -(-len(self.tables.get(split, self.tables["train"])) // BATCH)
        encode = partial(encode_texts, self.tokenizer)
        label = f"encoding split `{split}`"
        parts, dropped, first = [], 0, 0
        for part in mapped(encode, self.texts(split), label, total):
            kept = self.short(part, split, first)
            first, dropped = first + len(part.prompt), dropped + len(part.prompt) - len(kept.prompt)
            parts.append(kept)
        rows = joined(parts)
        if not len(rows.prompt):
            raise empty(split)
        return {**dict(zip(Rows._fields[:4], rows[:4], strict=True)), "dropped": dropped}

    def short(self, rows: Rows, split: str, first: int) -> Rows:
        """The rows that are not too long. Raises Failed (X506) unless `data.long=drop`."""
        o = self.options
        keep = torch.ones(len(rows.prompt), dtype=torch.bool)
        for what, length, longest in (
            ("prompt", rows.prompt_length, o.longest_prompt),
            ("answer", rows.answer_length, o.longest_answer),
        ):
            fits = length <= longest if longest else torch.ones_like(keep)
            if o.long == "error" and not fits.all():
                i = int((~fits).nonzero()[0])
                message = f"row {first + i + 1} of split `{split}` has a{'n' * (what == 'answer')} "
                message += f"{what} of {int(length[i])} tokens; data.longest_{what} is {longest}"
                hint = f"raise data.longest_{what}, or leave such rows out with data.long=drop"
                raise Failed(Diagnostic("X506", message, hint))
            keep &= fits
        return rows if keep.all() else Rows(*(a[keep] for a in rows[:4]))


def empty(split: str) -> Failed:
    hint = "use more rows, or data.val_file and data.test_file"
    return Failed(Diagnostic("X506", f"split `{split}` has no rows", hint))


def rows_in(content: dict) -> Rows:
    """The rows of a file in the cache."""
    return Rows(*(content[k] for k in Rows._fields[:4]))


def encode_texts(tokenizer: Tokenizer, texts: Texts) -> Rows:
    """Rows as wide as their longest, int32. Raises Failed (X502)."""
    return padded_rows(*([tokenizer.encode(t) for t in part] for part in texts))


CODE = (
    sys.modules[__name__],
    preprocess,
    rows,
    tokenizers,
    corpus,
    tables,
)  # its text is part of the keys
TASK = Columns()
