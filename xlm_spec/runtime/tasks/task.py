"""What a task is: data, words, metrics, sizes. It knows nothing of methods."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from xlm_spec.runtime.metrics import sequence_accuracy, token_accuracy
from xlm_spec.runtime.rows import Rows
from xlm_spec.runtime.words import Tokenizer

Settings = Mapping[str, float | int | bool | str]


class Metric(NamedTuple):
    """A figure of each example, and its weight in the mean."""

    of: Callable[[Tensor, Rows], tuple[Tensor, Tensor]]  # answers (B, W) -> (B,), (B,)


ACCURACY = {  # of answers of which one is right
    "sequence_accuracy": Metric(sequence_accuracy),
    "token_accuracy": Metric(token_accuracy),
}


@dataclass(frozen=True)
class NoOptions:
    """Of a task that has none."""


class Task(Protocol):
    """One file holds one task as TASK."""

    name: str
    words: Tokenizer
    longest_prompt: int
    longest_answer: int
    ends: bool  # answers end, and a network learns where; else rows are blocks of running text
    samples: int | None  # examples of a split that are sampled for to score it; None: all
    metrics: Mapping[str, Metric]  # of what is sampled
    sizes: Mapping[str, Settings]  # numbers by dotted name that a size gives
    defaults: Settings  # numbers that the task gives unless a spec does
    options: Any  # a frozen dataclass; its fields are numbers `data.*`, their comments as in Data

    def with_options(self, options: Any, words: Tokenizer | None = None) -> "Task":
        """The same task with other options; it has read nothing yet.

        `words` are those of a checkpoint, for a task that reads its own off its data.
        """
        ...

    def rows(self, split: str) -> Rows:
        """The split `train`, `val` or `test`; prepared once, then read from a cache."""
        ...


class RunningText(Task, Protocol):
    """A task whose rows are blocks of text: without prompts, without ends, without truths."""

    def characters(self, split: str) -> int:
        """How many the rows of a split hold: bits per character are counted by them."""
        ...
