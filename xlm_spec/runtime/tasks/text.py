"""Any text: a file, or a data set of the Hugging Face hub, cut into blocks of equal length.

The text is one long row of tokens: characters, or the subwords of a tokenizer.json. Blocks follow
each other without overlap; none has an end that could be predicted. Training drops what is left
behind its last block; the last block of validation and test is shorter, so that each of their
tokens is scored, once. The alphabet is every character of the three parts: no part tells of
another more than that a character occurs, and every character has a probability.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.metrics import entropy
from xlm_spec.runtime.tasks.corpus import of_data_set, of_file
from xlm_spec.runtime.tasks.task import Metric, Rows, Settings
from xlm_spec.runtime.words import Characters, Subwords, Tokenizer

PATHS = ("file", "val_file", "test_file", "tokenizer")
METRICS = {"entropy": Metric(entropy)}
DEFAULTS: Settings = {"train.lr_end": 0.1, "train.beta2": 0.98, "train.sample_examples": 4}


@dataclass(frozen=True)
class Options:
    """Which text, and how it is cut.

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

    file: str = ""  # a text in UTF-8
    val_file: str = ""  # a text to validate on; else a twentieth at the end of the whole
    test_file: str = ""  # a text to test on; else a twentieth at the end of the whole
    hub: str = ""  # a data set instead of a file: its id on the Hugging Face hub, or its folder
    hub_config: str = ""  # which configuration of the data set
    column: str = "text"  # which column of the data set
    tokenizer: str = ""  # a tokenizer.json; without, the tokens are characters
    block: int = 128  # tokens of a row; in [2, inf)


@dataclass(frozen=True)
class Text:
    """Running text. `given` is a checkpoint's tokenizer, which the data can't change."""

    options: Options = Options()
    given: Tokenizer | None = None

    name, ends, samples, metrics, defaults = "text", False, 64, METRICS, DEFAULTS

    def with_options(self, options: Options, words: Tokenizer | None = None) -> "Text":
        """With whole paths, so that a run finds its text from another folder too."""
        paths = {k: whole(getattr(options, k)) for k in PATHS}
        paths["hub"] = whole(options.hub) if Path(options.hub).is_dir() else options.hub
        settled = replace(options, **paths)  # type: ignore[arg-type]
        return replace(self, options=settled, given=words)

    @property
    def sizes(self) -> Mapping[str, Settings]:
        return {
            "cpu": {
                "backbone.layers": 3,
                "backbone.width": 128,
                "backbone.heads": 4,
                "backbone.dropout": 0.0,
                "backbone.positions": 1 + self.options.block,
                "backbone.mixing": True,
                "train.batch": 32,
                "train.lr": 2e-3,
                "train.warmup": 50,
                "train.steps": 480,
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
    def words(self) -> Tokenizer:
        """Raises Failed (X506-X508)."""
        if self.given:
            return self.given
        if self.options.tokenizer:
            return Subwords(of_file(self.options.tokenizer))
        return Characters("".join(sorted(set().union(*self.texts.values()))))

    @cached_property
    def texts(self) -> dict[str, str]:
        """The parts `train`, `val` and `test`. Raises Failed (X506, X508)."""
        o = self.options
        if bool(o.file) == bool(o.hub):
            told = "task `text` reads one text: a file or a data set"
            raise Failed(Diagnostic("X506", told, "--set data.file=PATH, or --set data.hub=ID"))
        found = of_data_set(o.hub, o.hub_config, o.column) if o.hub else {"train": of_file(o.file)}
        own = {"val": o.val_file, "test": o.test_file}
        return parted(found | {k: of_file(f) for k, f in own.items() if f})

    def characters(self, split: str) -> int:
        return len(self.texts[split])

    def rows(self, split: str) -> Rows:
        """Raises Failed: X506 where the part is too short, X502 where a character is unknown."""
        ids = torch.tensor(self.words.encode(self.texts[split]), dtype=torch.long)
        least = self.options.block if split == "train" else 1
        if len(ids) < least:
            told = f"the part `{split}` of the text has {len(ids)} tokens; {least} are the least"
            raise Failed(Diagnostic("X506", told, "a longer text, or a smaller data.block"))
        return blocks(ids, self.options.block, rest=split != "train")


def whole(path: str) -> str:
    return str(Path(path).expanduser().resolve()) if path else ""


def parted(found: Mapping[str, str]) -> dict[str, str]:
    """The three parts; one that is not given is a twentieth, cut off the end of `train`."""
    text, cut = found["train"], [k for k in ("val", "test") if k not in found]
    size = len(text) // 20
    first = len(text) - size * len(cut)
    ends = {k: text[first + i * size : first + (i + 1) * size] for i, k in enumerate(cut)}
    return {**found, "train": text[:first], **ends}


def blocks(ids: Tensor, size: int, rest: bool) -> Rows:
    """Consecutive blocks (N, size); with `rest` the last one may be shorter."""
    n = -(-len(ids) // size) if rest else len(ids) // size
    padded = torch.nn.functional.pad(ids, (0, max(0, n * size - len(ids))))[: n * size]
    length = (len(ids) - size * torch.arange(n)).clamp(max=size)
    empty = torch.zeros(n, 0, dtype=torch.long)
    return Rows(empty, torch.zeros_like(length), padded.view(n, size), length)


TASK = Text()
