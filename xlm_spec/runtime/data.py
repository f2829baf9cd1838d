"""Batches: a function of the step alone, so that a resumed run sees what any other does."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset, IterableDataset

from xlm_spec.runtime.choose import Run
from xlm_spec.runtime.layout import Layout
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.rows import Rows

EVAL_BATCH = 250


class Part(NamedTuple):
    """One of the `accumulate * world` parts of the global batch of an optimiser step."""

    step: int
    part: int
    x: Any  # the package's Examples


class Stream(IterableDataset):
    """Training batches without end, from a given optimiser step on.

    Rows come in a new order each epoch. A global batch of `batch` rows is cut into `accumulate`
    micro-batches for each of `world` ranks; `index` and `total` of Examples tell a row's place in
    it, drawn without order, so that strata of time span it. What a step sees depends on the number
    of parts, not on who computes which.
    """

    def __init__(self, examples, run: Run, step: int, rank: int, world: int):
        self.examples, self.train, self.step = examples, run.train, step
        self.rank, self.world = rank, world

    def __iter__(self) -> Iterator:
        train = self.train
        size = train.batch // (train.accumulate * self.world)
        for step in self.steps():
            rows = self.rows(step)
            strata = torch.randperm(train.batch, generator=generator(train.seed, step, "strata"))
            for micro in range(train.accumulate):
                part = micro * self.world + self.rank
                place = slice(part * size, (part + 1) * size)
                here = rows[place]
                x = type(self.examples)(*(a if a is None else a[here] for a in self.examples))
                yield Part(step, part, x._replace(index=strata[place], total=train.batch))

    def steps(self) -> Iterator[int]:
        step = self.step
        while True:
            yield step
            step += 1

    def rows(self, step: int) -> torch.Tensor:
        """The rows of a global batch: `batch` places of the endless row of shuffled epochs."""
        total, batch = len(self.examples.tokens), self.train.batch
        first, last = step * batch // total, ((step + 1) * batch - 1) // total
        orders = [
            torch.randperm(total, generator=generator(self.train.seed, epoch, "order"))
            for epoch in range(first, last + 1)
        ]
        start = step * batch - first * total
        return torch.cat(orders)[start : start + batch]


class Scored(Dataset):
    """Batches of consecutive rows; each rank has every `world`-th, so each row is scored once."""

    def __init__(self, rows: Rows, batch: int = EVAL_BATCH, rank: int = 0, world: int = 1):
        self.rows = rows
        total = len(rows.prompt)
        starts = range(0, total, batch)
        self.batches = [(i, slice(i, min(i + batch, total))) for i in starts][rank::world]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> tuple[int, Rows]:
        first, which = self.batches[i]
        return first, self.rows.take(which)


class DataModule(LightningDataModule):
    """The rows of a task, laid out for a method."""

    def __init__(self, run: Run, layout: Layout):
        super().__init__()
        self.run, self.layout = run, layout
        self.train = layout.examples(self.rows("train"))

    def rows(self, split: str) -> Rows:
        if not self.run.data.overfit:
            return self.run.task.rows(split)
        return self.run.task.rows("train").take(slice(0, self.run.train.batch))

    @property
    def free_tokens(self) -> float:
        """Mean number of free tokens of a training sequence: what the loss is divided by."""
        return (self.train.valid & ~self.train.fixed).sum(1).double().mean().item()

    def train_dataloader(self) -> DataLoader:
        assert self.trainer is not None
        t = self.trainer
        stream = Stream(self.train, self.run, t.global_step, t.global_rank, t.world_size)
        return DataLoader(stream, batch_size=None, num_workers=self.run.data.workers)

    def val_dataloader(self) -> DataLoader:
        assert self.trainer is not None
        t = self.trainer
        rows = Scored(self.rows("val"), rank=t.global_rank, world=t.world_size)
        return DataLoader(rows, batch_size=None)
