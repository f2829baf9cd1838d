"""What a task is: data, words, metrics, sizes. It knows nothing of methods."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from torch import Tensor

from xlm_spec.runtime.words import Words

Settings = Mapping[str, float | int | bool | str]


class Rows(NamedTuple):
    """N prompts and answers, padded on the right with anything."""

    prompt: Tensor  # (N, P) long
    prompt_length: Tensor  # (N,)
    answer: Tensor  # (N, A) long
    answer_length: Tensor  # (N,)

    def take(self, which) -> "Rows":
        return Rows(*(a[which] for a in self))


class Metric(NamedTuple):
    """A figure in [0, 1] for each example, and its weight in the mean."""

    of: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # answers, truths (B, W) -> (B,), (B,)


class Task(Protocol):
    """One file under `tasks/` holds one task as TASK."""

    name: str
    words: Words
    longest_prompt: int
    longest_answer: int
    sizes: Mapping[str, Settings]  # numbers by dotted name that a size gives
    defaults: Settings  # numbers that the task gives unless a spec does
    metrics: Mapping[str, Metric]

    def rows(self, split: str) -> Rows:
        """The split `train`, `val` or `test`; prepared once, then read from a cache."""
        ...
