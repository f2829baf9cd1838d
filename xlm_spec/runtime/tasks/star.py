"""Star graphs: find the path from a centre to a goal in a shuffled list of edges.

Bachmann and Nagarajan (arXiv:2403.06963); the form used by ILM (arXiv:2505.05755) and XLM. Arms of
equal length leave a centre; the prompt is the shuffled edges, then source (the centre) and goal
(the end of one arm); the answer is the nodes of the path, source and goal included.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.metrics import sequence_accuracy, token_accuracy
from xlm_spec.runtime.randomness import generator, seed_of
from xlm_spec.runtime.tasks.task import Metric, Rows, Settings
from xlm_spec.runtime.words import Words

VERSION = 1  # of the generator; a change of what it draws raises it
SPLITS = {"test": 5_000, "val": 1_000, "train": 50_000}  # test is drawn first, and kept apart


@dataclass(frozen=True)
class Star:
    """`degree` arms of `path` nodes each, the centre counted; nodes are called 0 .. labels - 1."""

    name: str
    degree: int
    path: int
    labels: int
    sizes: dict[str, Settings]
    seed: int = 42
    defaults: Settings = field(default_factory=dict)

    @property
    def nodes(self) -> int:
        return 1 + self.degree * (self.path - 1)

    @property
    def longest_prompt(self) -> int:
        return 2 * self.degree * (self.path - 1) + 2

    @property
    def longest_answer(self) -> int:
        return self.path

    @property
    def words(self) -> Words:
        return Words(tuple(map(str, range(self.labels))))

    @property
    def metrics(self) -> dict[str, Metric]:
        return {
            "sequence_accuracy": Metric(sequence_accuracy),
            "token_accuracy": Metric(token_accuracy),
        }

    def rows(self, split: str) -> Rows:
        """Draws all splits on first use; later runs read them from the cache."""
        file = self.cache()
        try:
            if not file.exists():
                self.draw_all(file)
            tensors = torch.load(file, weights_only=True)[split]
        except (OSError, RuntimeError, KeyError, TypeError, UnpicklingError, EOFError) as e:
            told = f"the data's cache can't be used: {str(e).splitlines()[0]}"
            hint = "delete the file, or set XLM_SPEC_CACHE to a folder that can be written"
            raise Failed(Diagnostic("X504", told, hint, str(file))) from None
        prompt, answer = (t.long() for t in tensors)
        lengths = [torch.full((len(t),), t.shape[1]) for t in (prompt, answer)]
        return Rows(prompt, lengths[0], answer, lengths[1])

    def cache(self) -> Path:
        """Its name depends on everything that the data depends on."""
        key = seed_of(VERSION, self.degree, self.path, self.labels, self.seed, SPLITS)
        home = os.environ.get("XLM_SPEC_CACHE") or os.environ.get("XDG_CACHE_HOME")
        base = Path(home) if home else Path.home() / ".cache"
        return base / "xlm-spec" / f"star-{key:016x}.pt"

    def draw_all(self, file: Path) -> None:
        seen: set[bytes] = set()
        splits = {}
        for split, size in SPLITS.items():
            splits[split] = self.draw_new(split, size, seen)
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}")
        torch.save({s: [t.to(torch.int16) for t in r] for s, r in splits.items()}, beside)
        os.replace(beside, file)

    def draw_new(self, split: str, size: int, seen: set[bytes]) -> tuple[Tensor, Tensor]:
        """`size` examples whose graph and question occur in no earlier split."""
        earlier = frozenset(seen)
        prompts, answers, count, part = [], [], 0, 0
        while count < size:
            arms = self.arms(size - count, generator(self.seed, self.name, split, part))
            keys = [key(a) for a in arms]
            arms = arms[torch.tensor([k not in earlier for k in keys])]
            seen.update(keys)
            prompt, answer = self.questions(
                arms, generator(self.seed, self.name, split, part, "edges")
            )
            prompts.append(prompt)
            answers.append(answer)
            count, part = count + len(arms), part + 1
        return torch.cat(prompts), torch.cat(answers)

    def arms(self, n: int, rng) -> Tensor:
        """Labels of each arm from the centre outwards, (n, degree, path); the goal ends arm 0."""
        labels = torch.rand(n, self.labels, generator=rng).argsort(1)[:, : self.nodes]
        outer = labels[:, 1:].unflatten(1, (self.degree, self.path - 1))
        return torch.cat([labels[:, :1, None].expand(-1, self.degree, 1), outer], 2)

    def questions(self, arms: Tensor, rng) -> tuple[Tensor, Tensor]:
        """Prompts (n, P) and answers (n, path)."""
        edges = torch.stack([arms[:, :, :-1], arms[:, :, 1:]], -1).flatten(1, 2)  # (n, E, 2)
        order = torch.rand(edges.shape[:2], generator=rng).argsort(1)
        edges = edges.gather(1, order[..., None].expand(-1, -1, 2)).flatten(1)
        answer = arms[:, 0]
        return torch.cat([edges, answer[:, :1], answer[:, -1:]], 1), answer


def key(arms: Tensor) -> bytes:
    """The same for two examples that ask the same of one graph, whatever the order of edges."""
    first, *others = arms.tolist()
    return bytes(first) + b"".join(sorted(map(bytes, others)))
