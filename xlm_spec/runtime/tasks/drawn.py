"""Tasks from a function that draws prompts and answers: the simplest form of a user's task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.tasks.task import ACCURACY, DEFAULTS, NoOptions, Rows, Settings, small
from xlm_spec.runtime.words import Tokenizer, WordTokenizer

SPLITS = {"test": 1_000, "val": 1_000, "train": 20_000}  # in this order; prompts do not overlap
PATIENCE = 100  # draws per example before it gives up


@dataclass(frozen=True)
class Pairs:
    """`draw(rng)` returns a prompt and its only right answer, as space-separated words.

    No prompt occurs in two splits. `cpu` overrides settings of the size `cpu`, which defaults to a
    small model that learns in minutes.
    """

    name: str
    words: WordTokenizer
    draw: Callable[[Random], tuple[str, str]]
    longest_prompt: int
    longest_answer: int
    cpu: Settings = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=lambda: SPLITS)
    seed: int = 42
    defaults: Settings = field(default_factory=dict)
    options: Any = NoOptions()

    ends, samples, metrics = True, None, ACCURACY

    @property
    def sizes(self) -> Mapping[str, Settings]:
        length = 3 + self.longest_prompt + self.longest_answer
        return {"cpu": {**small(length), **DEFAULTS, **self.cpu}, "paper": {}}

    def with_options(self, options: Any, words: Tokenizer | None = None) -> "Pairs":
        return replace(self, options=options)

    def rows(self, split: str) -> Rows:
        return self.drawn[split]

    @cached_property
    def drawn(self) -> dict[str, Rows]:
        """All splits. Raises Failed (X502, X505)."""
        rng, seen, splits = Random(self.seed), set[str](), {}
        for split, size in self.splits.items():
            earlier, patience = frozenset(seen), PATIENCE * size
            pairs: list[tuple[list[int], list[int]]] = []
            while len(pairs) < size:
                prompt, answer = self.drawn_pair(rng)
                patience -= 1
                if not patience:
                    message = f"task `{self.name}` draws too few prompts that are new"
                    raise Failed(Diagnostic("X505", message, f"split `{split}` requires {size}"))
                if prompt not in earlier:
                    seen.add(prompt)
                    pairs.append((self.words.encode(prompt), self.words.encode(answer)))
            prompts, answers = zip(*pairs, strict=True)
            prompt_ids = padded(prompts, self.longest_prompt, "prompt", self.name)
            answer_ids = padded(answers, self.longest_answer, "answer", self.name)
            splits[split] = Rows(*prompt_ids, *answer_ids)
        return splits

    def drawn_pair(self, rng: Random) -> tuple[str, str]:
        """Raises Failed (X505) if `draw` raises, or does not return two texts."""
        try:
            prompt, answer = self.draw(rng)
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
