"""Tasks from a function that draws prompts and answers: the simplest form of a user's task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.tokenizers import Tokenizer, WordTokenizer
from xlm_spec.runtime.tasks.task import (
    ACCURACY,
    DEFAULTS,
    UNCONDITIONAL,
    Metric,
    NoOptions,
    Rows,
    Settings,
    small,
)

SPLITS = {"test": 1_000, "val": 1_000, "train": 20_000}  # in this order; prompts do not overlap
Example = str | tuple[str, str]  # a sequence, or a prompt and its answer
PATIENCE = 100  # draws per example before it gives up


@dataclass(frozen=True)
class Pairs:
    """`draw(rng)` returns a prompt and its only right answer, as space-separated words.

    No prompt occurs in two splits. Without prompts (`longest_prompt=0`) it returns a sequence, and
    none occurs in two splits. A split can also be a list of examples, which is fixed: `draw` is
    not needed for it. `cpu` overrides settings of the size `cpu`, which defaults to a small model
    that learns in minutes.
    """

    name: str
    tokenizer: WordTokenizer
    draw: Callable[[Random], Example] | None = None
    longest_prompt: int = 0
    longest_answer: int = 0
    cpu: Settings = field(default_factory=dict)
    splits: Mapping[str, int | Sequence[Example]] = field(default_factory=lambda: SPLITS)
    seed: int = 42
    defaults: Settings = field(default_factory=dict)
    options: Any = NoOptions()

    ends, samples = True, None

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return ACCURACY if self.longest_prompt else UNCONDITIONAL

    @property
    def sizes(self) -> Mapping[str, Settings]:
        length = 3 + self.longest_prompt + self.longest_answer
        return {"cpu": {**small(length), **DEFAULTS, **self.cpu}, "paper": {}}

    def with_options(self, options: Any, tokenizer: Tokenizer | None = None) -> "Pairs":
        return replace(self, options=options)

    def rows(self, split: str) -> Rows:
        return self.drawn[split]

    @cached_property
    def drawn(self) -> dict[str, Rows]:
        """All splits. Raises Failed (X502, X505)."""
        rng, seen, splits = Random(self.seed), set[str](), {}
        fixed = {k: [*map(self.pair, v)] for k, v in self.splits.items() if not isinstance(v, int)}
        seen.update(p or a for pairs in fixed.values() for p, a in pairs)
        for split, size in self.splits.items():
            found = fixed.get(split) or self.drawn_pairs(rng, split, size, seen)
            prompts, answers = (
                [self.tokenizer.encode(t) for t in column] for column in zip(*found, strict=True)
            )
            prompt_ids = padded(prompts, self.longest_prompt, "prompt", self.name)
            answer_ids = padded(answers, self.longest_answer, "answer", self.name)
            splits[split] = Rows(*prompt_ids, *answer_ids)
        return splits

    def drawn_pairs(
        self, rng: Random, split: str, size: object, seen: set[str]
    ) -> list[tuple[str, str]]:
        """Pairs that are in no other split. Raises Failed (X505)."""
        if not isinstance(size, int) or not size:
            raise Failed(Diagnostic("X505", f"split `{split}` of task `{self.name}` is empty"))
        earlier, patience = frozenset(seen), PATIENCE * size
        pairs: list[tuple[str, str]] = []
        while len(pairs) < size:
            prompt, answer = self.drawn_pair(rng)
            patience -= 1
            if not patience:
                what = "prompts" if self.longest_prompt else "sequences"
                message = f"task `{self.name}` draws too few {what} that are new"
                raise Failed(Diagnostic("X505", message, f"split `{split}` requires {size}"))
            if (prompt or answer) not in earlier:
                seen.add(prompt or answer)
                pairs.append((prompt, answer))
        return pairs

    def pair(self, example: Example) -> tuple[str, str]:
        """A prompt, empty if the task has none, and an answer. Raises Failed (X505)."""
        parts = ("", example) if isinstance(example, str) else tuple(example)
        if len(parts) != 2 or not all(isinstance(p, str) for p in parts):
            message = f"task `{self.name}` has an example that is not a pair of texts: {example!r}"
            raise Failed(Diagnostic("X505", message, "write (PROMPT, ANSWER), or one text"))
        return parts[0], parts[1]

    def drawn_pair(self, rng: Random) -> tuple[str, str]:
        """Raises Failed (X505) if `draw` raises, or does not return texts."""
        if self.draw is None:
            message = f"task `{self.name}` has no `draw`, and a split that is a number"
            hint = "define it, or list the examples of the split"
            raise Failed(Diagnostic("X505", message, hint))
        try:
            example = self.draw(rng)
            prompt, answer = ("", example) if isinstance(example, str) else example
            return str(prompt), str(answer)
        except Exception as e:
            message = f"`draw` of task `{self.name}` raises {type(e).__name__}: {e}"
            raise Failed(Diagnostic("X505", message)) from None


def padded(texts, longest: int, what: str, task: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (N, longest) and lengths (N,). Raises Failed (X505) if a text is longer."""
    length = max(map(len, texts))
    if length > longest:
        message = f"task `{task}` draws a{'n' * (what == 'answer')} {what} of {length} words"
        raise Failed(Diagnostic("X505", message, f"`longest_{what}` is {longest}"))
    ids = torch.tensor([t + [0] * (longest - len(t)) for t in texts])
    return ids, torch.tensor([len(t) for t in texts])
