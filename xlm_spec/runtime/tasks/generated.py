"""Tasks whose examples a program draws: drawn once by several processes, then read from the cache.

A split is a function of the seed and the options. No puzzle of a split occurs in an earlier one
(`test`, `val`, `train`), where two puzzles are the same if their keys are.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime import randomness
from xlm_spec.runtime.data.preprocess import cached, key_of, mapped
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.data.tokenizers import Tokenizer
from xlm_spec.runtime.randomness import seed_of
from xlm_spec.runtime.tasks.task import DEFAULTS, Metric, Settings, small

Example = tuple[list[int], list[int]]  # ids of the prompt and of an answer
CHUNK = 500  # examples that are drawn together, from one seed
HELD_OUT = 1_000  # examples of `test` and of `val`
PATIENCE = 5  # rounds of draws in a row without a new puzzle


@dataclass(frozen=True)
class Generated(ABC):
    """A subclass sets `options`, which has the fields `examples` and `seed`."""

    options: Any

    name: ClassVar[str]
    ends: ClassVar[bool] = True
    samples: ClassVar[int | None] = None
    defaults: ClassVar[Settings] = DEFAULTS
    steps: ClassVar[int] = 1_000  # of training at size `cpu`

    @abstractmethod
    def draw(self, seed: int, n: int) -> list[Example]:
        """At most `n` examples, a function of the seed."""

    @abstractmethod
    def require(self) -> None:
        """Raises Failed (X506) if no puzzle has these options."""

    @property
    @abstractmethod
    def tokenizer(self) -> Tokenizer: ...

    @property
    @abstractmethod
    def longest_prompt(self) -> int: ...

    @property
    @abstractmethod
    def longest_answer(self) -> int: ...

    @property
    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]: ...

    def key(self, example: Example) -> Hashable:
        """Equal for the same puzzle. Puzzles are the same if their prompts are."""
        return (*example[0],)

    @property
    def sizes(self) -> Mapping[str, Settings]:
        positions = 3 + self.longest_prompt + self.longest_answer
        return {"cpu": small(positions, steps=self.steps), "paper": {}}

    def with_options(self, options: Any, tokenizer: Tokenizer | None = None) -> "Generated":
        """Raises Failed (X506) if no puzzle has these options."""
        task = replace(self, options=options)
        task.require()
        return task

    def rows(self, split: str) -> Rows:
        """Draws all splits on first use; later runs read the cache. Raises Failed: X504, X506."""
        return Rows(*(self.content[f"{split}/{f}"].long() for f in Rows._fields[:4]))

    @cached_property
    def content(self) -> dict[str, Tensor]:
        code = [sys.modules[m] for m in (type(self).__module__, __name__)]
        key = key_of(self.name, self.options, code=[*code, randomness], classes=[type(self)])
        return cached(f"{self.name}-{key}", self.drawn)

    def drawn(self) -> dict[str, Tensor]:
        """All splits. Raises Failed (X506)."""
        seen: set[Hashable] = set()
        out = dict[str, Tensor]()
        sizes = {"test": HELD_OUT, "val": HELD_OUT, "train": self.options.examples}
        for split, size in sizes.items():
            found = self.drawn_split(split, size, frozenset(seen))
            seen.update(map(self.key, found))
            rows = self.padded(found)
            out |= {f"{split}/{f}": t for f, t in zip(Rows._fields, rows, strict=False)}
        return out

    def drawn_split(self, split: str, size: int, earlier: frozenset) -> list[Example]:
        found: list[Example] = []
        number = idle = 0  # of chunks, and of rounds without a new puzzle
        while len(found) < size:
            needed = -(-(size - len(found)) // CHUNK)
            seeds = [
                seed_of(self.name, self.options.seed, split, number + i) for i in range(needed)
            ]
            number, before = number + needed, len(found)
            draw = partial(self.draw, n=CHUNK)
            for chunk in mapped(draw, seeds, f"drawing split `{split}`", needed):
                found += [e for e in chunk if self.key(e) not in earlier]
            idle = idle + 1 if len(found) == before else 0
            if idle >= PATIENCE:
                message = f"task `{self.name}` draws too few puzzles that are new"
                hint = f"split `{split}` requires {size:,}: choose options with more puzzles"
                raise Failed(Diagnostic("X506", message, hint))
        return found[:size]

    def padded(self, examples: Sequence[Example]) -> tuple[Tensor, ...]:
        """Prompts and answers with their lengths, int16."""
        out: list[Tensor] = []
        widths = self.longest_prompt, self.longest_answer
        for column, width in zip(zip(*examples, strict=True), widths, strict=True):
            rows = [ids + [0] * (width - len(ids)) for ids in column]
            out.append(torch.tensor(rows, dtype=torch.int16).view(len(rows), width))
            out.append(torch.tensor([*map(len, column)], dtype=torch.int16))
        return tuple(out)


def share(of: Callable[[list[int], list[int]], float]) -> Metric:
    """The metric of a function of a prompt and an answer, as ids; weight 1."""

    def value(answers: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        prompts = zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
        both = zip(prompts, answers.tolist(), strict=True)
        values = [float(of(p[:n], [t for t in a if t >= 0])) for (p, n), a in both]
        found = torch.tensor(values, dtype=torch.float64, device=answers.device)
        return found, torch.ones_like(found)

    return Metric(value)
