"""The interface of a task: data, tokenizer, metrics, sizes. A task is independent of methods."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from xlm_spec.runtime.data.metrics import entropy, sequence_accuracy, token_accuracy
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.data.streams import RecordStream
from xlm_spec.runtime.data.tokenizers import Tokenizer

Settings = Mapping[str, float | int | bool | str]

DEFAULTS: Settings = {"train.lr_end": 0.1, "train.beta2": 0.98}


def small(positions: int, layers: int = 3, warmup: int = 100, steps: int = 1000) -> Settings:
    """The settings of a small model that learns in minutes on a CPU."""
    return {
        "backbone.layers": layers,
        "backbone.width": 64,
        "backbone.heads": 4,
        "backbone.dropout": 0.0,
        "backbone.positions": positions,
        "backbone.token_shift": True,
        "train.batch": 64,
        "train.lr": 3e-3,
        "train.warmup": warmup,
        "train.steps": steps,
    }


class Metric(NamedTuple):
    """A function from answers and rows to the value of each example, and its weight in the mean."""

    of: Callable[[Tensor, Rows], tuple[Tensor, Tensor]]  # answers (B, W) -> (B,), (B,)


ACCURACY = {  # for tasks with one right answer
    "sequence_accuracy": Metric(sequence_accuracy),
    "token_accuracy": Metric(token_accuracy),
}


UNCONDITIONAL = {"entropy": Metric(entropy)}  # for tasks without prompts


@dataclass(frozen=True)
class NoOptions:
    """The options of a task without options."""


class Task(Protocol):
    """One file defines one task as TASK."""

    name: str
    tokenizer: Tokenizer
    longest_prompt: int
    longest_answer: int
    ends: bool  # True: answers end with EOS; False: rows are blocks of running text
    samples: int | None  # examples of a split to sample answers for; None: all
    metrics: Mapping[str, Metric]  # of the sampled answers
    sizes: Mapping[str, Settings]  # settings of each size, by dotted name
    defaults: Settings  # settings that apply unless the spec sets them
    options: Any  # a frozen dataclass; its fields are settings `data.*`, commented as in Data

    def with_options(self, options: Any, tokenizer: Tokenizer | None = None) -> "Task":
        """The task with other options, before it has read any data.

        `tokenizer` is the tokenizer of a checkpoint, for a task that derives its own from its data.
        """
        ...

    def rows(self, split: str) -> Rows:
        """The split `train`, `val` or `test`. It may come from a cache."""
        ...


class Collective(Task, Protocol):
    """A task with metrics that are no means of examples."""

    @property
    def set_metrics(self) -> Mapping[str, Callable[[], Any]]:
        """Name -> a function that makes a metric of torchmetrics.

        Its `update` gets what its parameters name, as that of an entry of `data.metrics` does; it
        computes a mapping, whose figures are called NAME_KEY. Metrics of `nats` are left out if the
        package has no likelihood.
        """
        ...


class Streamed(Task, Protocol):
    """A task whose training data are read as they are needed.

    `rows("train")` is then a sample of them.
    """

    @property
    def stream(self) -> RecordStream | None:
        """None: the options say that `rows` has all training data."""
        ...


class RunningText(Task, Protocol):
    """A task whose rows are blocks of text, without prompts, EOS and right answers."""

    def characters(self, split: str) -> int:
        """The number of characters of a split, for bits per character."""
        ...
