"""Tasks from a function that draws questions and answers: what a task of a user's needs least."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.tasks.task import ACCURACY, NoOptions, Rows, Settings
from xlm_spec.runtime.words import Tokenizer, Words

SPLITS = {"test": 1_000, "val": 1_000, "train": 20_000}  # test is drawn first, and kept apart
PATIENCE = 100  # draws for each example that is wanted
SMALL: Settings = {
    "backbone.layers": 3,
    "backbone.width": 64,
    "backbone.heads": 4,
    "backbone.dropout": 0.0,
    "backbone.mixing": True,
    "train.batch": 64,
    "train.lr": 3e-3,
    "train.warmup": 100,
    "train.steps": 1000,
    "train.lr_end": 0.1,
    "train.beta2": 0.98,
}


@dataclass(frozen=True)
class Pairs:
    """`draw(rng)` gives a prompt and its one right answer, each words between spaces.

    No prompt of one split is drawn in another. `cpu` are numbers of the size of that name, where
    they are not those of a small network that learns in minutes.
    """

    name: str
    words: Words
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
        room = 3 + self.longest_prompt + self.longest_answer
        return {"cpu": {**SMALL, "backbone.positions": room, **self.cpu}, "paper": {}}

    def with_options(self, options: Any, words: Tokenizer | None = None) -> "Pairs":
        return replace(self, options=options)

    def rows(self, split: str) -> Rows:
        return self.drawn[split]

    @cached_property
    def drawn(self) -> dict[str, Rows]:
        """Every split. Raises Failed (X502, X505)."""
        rng, seen, found = Random(self.seed), set[str](), {}
        for split, size in self.splits.items():
            earlier, patience = frozenset(seen), PATIENCE * size
            pairs: list[tuple[list[int], list[int]]] = []
            while len(pairs) < size:
                prompt, answer = self.drawn_pair(rng)
                patience -= 1
                if not patience:
                    told = f"task `{self.name}` draws too few prompts that are in no other split"
                    raise Failed(Diagnostic("X505", told, f"`{split}` is to hold {size}"))
                if prompt not in earlier:
                    seen.add(prompt)
                    pairs.append((self.words.encode(prompt), self.words.encode(answer)))
            prompts, answers = zip(*pairs, strict=True)
            of_prompts = padded(prompts, self.longest_prompt, "prompt", self.name)
            of_answers = padded(answers, self.longest_answer, "answer", self.name)
            found[split] = Rows(*of_prompts, *of_answers)
        return found

    def drawn_pair(self, rng: Random) -> tuple[str, str]:
        """Raises Failed (X505) where the user's function raises, or gives no two texts."""
        try:
            prompt, answer = self.draw(rng)
            return str(prompt), str(answer)
        except Exception as e:
            told = f"`draw` of task `{self.name}` raises {type(e).__name__}: {e}"
            raise Failed(Diagnostic("X505", told)) from None


def padded(texts, longest: int, what: str, task: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids (N, longest) and lengths (N,). Raises Failed (X505) where one is longer."""
    wide = max(map(len, texts))
    if wide > longest:
        told = f"task `{task}` draws a{'n' * (what == 'answer')} {what} of {wide} words"
        raise Failed(Diagnostic("X505", told, f"`longest_{what}` says {longest}"))
    ids = torch.tensor([t + [0] * (longest - len(t)) for t in texts])
    return ids, torch.tensor([len(t) for t in texts])
