"""Star graphs: find the path from a source to a goal in a shuffled list of edges.

Bachmann and Nagarajan (arXiv:2403.06963), in the variants of ILM (arXiv:2505.05755) and XLM. The
arms cross at a junction, and all edges point along them. The prompt is the shuffled edges, then
source and goal (the ends of one arm); the answer is the nodes of that arm, or its edges.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.data.preprocess import cache_folder
from xlm_spec.runtime.data.tokenizers import Tokenizer, WordTokenizer
from xlm_spec.runtime.randomness import generator, seed_of
from xlm_spec.runtime.tasks.task import ACCURACY, DEFAULTS, Metric, Rows, Settings

VERSION = 1  # of the generator; increase it when the data change
SPLITS = {"test": 5_000, "val": 1_000, "train": 50_000}  # in this order; they do not overlap


@dataclass(frozen=True)
class Options:
    """Options of a star graph task.

    Also known as:
        format: answer_format, target_format
    """

    format: Literal["nodes", "edges"] = "nodes"  # format of the answer: a b c, or a b b c


@dataclass(frozen=True)
class Star:
    """`degree` arms of `shortest` to `longest` nodes, with at least `plan` edges after the
    junction. Nodes are named 0 .. labels - 1. With plan = shortest - 1 = longest - 1 the junction
    is the source.
    """

    name: str
    degree: int
    shortest: int
    longest: int
    plan: int
    labels: int
    sizes: Mapping[str, Settings]
    seed: int = 42
    defaults: Settings = field(default_factory=lambda: DEFAULTS)
    options: Options = Options()

    ends, samples = True, None

    @property
    def metrics(self) -> dict[str, Metric]:
        paths = edges_as_paths if self.options.format == "edges" else as_they_are
        return ACCURACY | {
            "valid_path": Metric(partial(valid_path, paths=paths)),
            "right_goal": Metric(right_goal),
        }

    def with_options(self, options: Options, tokenizer: Tokenizer | None = None) -> "Star":
        return replace(self, options=options)

    @property
    def nodes(self) -> int:
        """Nodes of the largest graph."""
        return 1 + self.degree * (self.longest - 1)

    @property
    def longest_prompt(self) -> int:
        return 2 * self.degree * (self.longest - 1) + 2

    @property
    def longest_answer(self) -> int:
        return self.longest if self.options.format == "nodes" else 2 * (self.longest - 1)

    @property
    def tokenizer(self) -> WordTokenizer:
        return WordTokenizer(tuple(map(str, range(self.labels))))

    def rows(self, split: str) -> Rows:
        """Draws all splits on first use; later runs read the cache. Raises Failed (X504)."""
        file = self.cache()
        try:
            if not file.exists():
                self.draw_all(file)
            tensors = torch.load(file, weights_only=True)[split]
            rows = Rows(*(t.long() for t in tensors))
        except (OSError, RuntimeError, KeyError, TypeError, UnpicklingError, EOFError) as e:
            message = f"cannot use the data cache: {first_line(e)}"
            hint = "delete the file, or set XLM_SPEC_CACHE to a writable folder"
            raise Failed(Diagnostic("X504", message, hint, str(file))) from None
        return rows if self.options.format == "nodes" else edges_of_answers(rows)

    def cache(self) -> Path:
        """The file of the cache. Its name depends on everything that determines the data."""
        law = (self.degree, self.shortest, self.longest, self.plan, self.labels)
        key = seed_of(VERSION, self.name, law, self.seed, SPLITS)
        return cache_folder() / f"star-{key:016x}.pt"

    def draw_all(self, file: Path) -> None:
        seen: set[bytes] = set()
        splits = {}
        for split, size in SPLITS.items():
            splits[split] = self.draw_new(split, size, seen)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        torch.save({s: [t.to(torch.int16) for t in r[:4]] for s, r in splits.items()}, part)
        os.replace(part, file)

    def draw_new(self, split: str, size: int, seen: set[bytes]) -> Rows:
        """`size` examples whose graph with source and goal occurs in no earlier split."""
        earlier = frozenset(seen)
        parts: list[Rows] = []
        count = 0
        while count < size:
            key = (self.seed, self.name, split, len(parts))
            arms = self.arms(size - count, generator(*key))
            keys = self.keys(arms)
            arms = arms[torch.tensor([k not in earlier for k in keys])]
            seen.update(keys)
            parts.append(self.questions(arms, generator(*key, "edges")))
            count += len(arms)
        return Rows(*(torch.cat(columns) for columns in zip(*(p[:4] for p in parts), strict=True)))

    def arms(self, n: int, rng: torch.Generator) -> Tensor:
        """Labels along each arm, (n, degree, longest), padded with -1; arm 0 is the answer.

        Arm i has L_i ~ U{shortest .. longest} nodes. The junction, which all arms share, is its
        node J_i ~ U{0 .. L_i - plan - 1}.
        """
        labels = torch.rand(n, self.labels, generator=rng).argsort(dim=1, stable=True)
        one_each = (n, self.degree, 1)
        length = torch.randint(self.shortest, self.longest + 1, one_each, generator=rng)
        u = torch.rand(one_each, generator=rng, dtype=torch.float64)
        junction = (u * (length - self.plan)).long()
        own = labels[:, 1 : self.nodes].unflatten(1, (self.degree, self.longest - 1))
        index = torch.arange(self.longest)
        shifted = (index - (index > junction).long()).clamp(max=self.longest - 2)
        arms = torch.where(index == junction, labels[:, :1, None], own.gather(2, shifted))
        return arms.masked_fill(index >= length, -1)

    def keys(self, arms: Tensor) -> list[bytes]:
        """A key of each example; equal for the same graph with the same source and goal."""
        first, second = edges(arms).unbind(-1)
        graph = (first * self.labels + second).sort(1).values
        examples = torch.cat([graph, ends(arms)], 1).to(torch.int16)
        return [row.tobytes() for row in examples.numpy()]

    def questions(self, arms: Tensor, rng: torch.Generator) -> Rows:
        """Rows: the edges in random order, source and goal of arm 0, and arm 0 as the answer."""
        pairs = edges(arms)
        none = pairs[..., 0] < 0
        order = torch.rand(none.shape, generator=rng).masked_fill(none, 2)
        order = order.argsort(dim=1, stable=True)
        pairs = pairs.gather(1, order[..., None].expand(-1, -1, 2))
        length = 2 * (~none).sum(1) + 2
        prompt = F.pad(pairs.flatten(1).clamp(min=0), (0, 2))
        prompt.scatter_(1, length[:, None] - torch.tensor([2, 1]), ends(arms))
        path = arms[:, 0]
        return Rows(prompt, length, path.clamp(min=0), (path >= 0).sum(1))


def edges(arms: Tensor) -> Tensor:
    """Edges, (n, degree * (longest - 1), 2); -1, -1 after the end of an arm."""
    pairs = torch.stack([arms[:, :, :-1], arms[:, :, 1:]], -1).flatten(1, 2)
    return pairs.masked_fill(pairs[..., 1:] < 0, -1)


def ends(arms: Tensor) -> Tensor:
    """Source and goal, (n, 2)."""
    path = arms[:, 0]
    last = (path >= 0).sum(1, keepdim=True) - 1
    return torch.cat([path[:, :1], path.gather(1, last)], 1)


def valid_path(
    answer: Tensor, rows: Rows, *, paths: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """1 if the answer starts at the source and follows edges of the graph, else 0; weight 1.

    An answer of one node is no path. `right_goal` checks where a path ends.
    """
    path = paths(answer)
    here, there = path[:, :-1], path[:, 1:]
    last = rows.prompt_length[:, None] - 2
    pair = rows.prompt[:, : rows.prompt.shape[1] // 2 * 2].unflatten(1, (-1, 2))
    edge = 2 * torch.arange(pair.shape[1], device=path.device) < last  # (B, E)
    same = (here[..., None] == pair[:, None, :, 0]) & (there[..., None] == pair[:, None, :, 1])
    known = (same & edge[:, None]).any(-1) | (there < 0)
    right = known.all(1) & (path[:, 1] >= 0) & (path[:, 0] == rows.prompt.gather(1, last)[:, 0])
    return right.double(), torch.ones(len(right), dtype=torch.float64, device=path.device)


def right_goal(answer: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
    """1 if the answer ends at the goal, else 0; weight 1."""
    end = (answer >= 0).sum(1, keepdim=True) - 1
    goal = rows.prompt.gather(1, rows.prompt_length[:, None] - 1)
    right = (end >= 0) & (answer.gather(1, end.clamp(min=0)) == goal)
    return right[:, 0].double(), torch.ones(len(right), dtype=torch.float64, device=answer.device)


def as_they_are(answer: Tensor) -> Tensor:
    return F.pad(answer, (0, 2), value=-1)  # two nodes at least


def edges_as_paths(answer: Tensor) -> Tensor:
    """Edges a b b c as their path a b c; all -2 (no node) if two edges do not meet."""
    pairs = F.pad(answer, (0, 2 + answer.shape[1] % 2), value=-1).unflatten(1, (-1, 2))
    first, second = pairs.unbind(-1)
    meets = (first[:, 1:] == second[:, :-1]) | (first[:, 1:] < 0)
    halved = (first >= 0) & (second < 0)  # an edge without its end
    broken = (~meets).any(1) | halved.any(1)
    path = torch.cat([first[:, :1], second], 1)
    return torch.where(broken[:, None], -2, path)


def edges_of_answers(rows: Rows) -> Rows:
    """Paths a b c as their edges a b b c."""
    path = rows.answer
    pairs = torch.stack([path[:, :-1], path[:, 1:]], -1).flatten(1)
    return rows._replace(answer=pairs, answer_length=2 * (rows.answer_length - 1))
