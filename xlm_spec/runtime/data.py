"""Batches. They depend on the step alone, so a resumed run sees the same ones."""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import count, islice
from typing import Any, NamedTuple

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from xlm_spec.runtime.layout import Layout
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.resolve_config import Run
from xlm_spec.runtime.rows import Rows

EVAL_LOGITS = 2**26  # logits of an evaluation batch: 256 MB in float32
MAX_EVAL_BATCH = 250  # examples of an evaluation batch


class MicroBatch(NamedTuple):
    """One of the `accumulate * world` micro-batches of an optimiser step."""

    step: int
    number: int  # of the micro-batch in the global batch
    x: Any  # the package's Examples


class Stream(IterableDataset):
    """Endless training batches, starting at an optimiser step.

    Rows are shuffled in each epoch. A global batch of `batch` rows is split into `accumulate`
    micro-batches for each of `world` ranks. `index` and `total` of Examples are a random
    permutation of the global batch, so that strata of time span it. The data of a step depend on
    the number of micro-batches, not on which rank computes them. With n loading processes,
    process i makes every n-th micro-batch from the i-th on: a DataLoader takes turns.
    """

    def __init__(self, examples, run: Run, step: int, rank: int, world: int):
        self.examples, self.train, self.step = examples, run.train, step
        self.rank, self.world = rank, world

    def __iter__(self) -> Iterator[MicroBatch]:
        every = ((step, i) for step in count(self.step) for i in range(self.train.accumulate))
        worker = get_worker_info()
        assigned = islice(every, worker.id, None, worker.num_workers) if worker else every
        return (self.micro_batch(step, i) for step, i in assigned)

    def micro_batch(self, step: int, i: int) -> MicroBatch:
        """Micro-batch `i` of this rank in an optimiser step."""
        train = self.train
        size = train.batch // (train.accumulate * self.world)
        number = i * self.world + self.rank
        span = slice(number * size, (number + 1) * size)
        strata = torch.randperm(train.batch, generator=generator(train.seed, step, "strata"))
        rows = self.rows(step)[span]
        x = type(self.examples)(*(a if a is None else a[rows] for a in self.examples))
        given = {"index": strata[span], "total": train.batch, "step": step}
        given = {k: v for k, v in given.items() if k in x._fields}  # old packages have no `step`
        return MicroBatch(step, number, x._replace(**given))

    def rows(self, step: int) -> torch.Tensor:
        """Row numbers of a global batch: the next `batch` of the concatenated shuffled epochs."""
        total, batch = len(self.examples.tokens), self.train.batch
        first, last = step * batch // total, ((step + 1) * batch - 1) // total
        parts = []
        for epoch in range(first, last + 1):
            order = shuffled(total, self.train.seed, epoch)
            begin, end = (s * batch - epoch * total for s in (step, step + 1))
            parts.append(order[max(0, begin) : end])
        return torch.cat(parts)


@lru_cache(maxsize=2)  # a batch may reach into the next epoch
def shuffled(total: int, seed: int, epoch: int) -> torch.Tensor:
    """The order of rows in an epoch."""
    return torch.randperm(total, generator=generator(seed, epoch, "order"))


def eval_batch_size(run: Run, layout: Layout) -> int:
    """Examples of an evaluation batch: `train.evaluate_batch`, else limited by its logits.

    Validation noise is drawn per batch, so the size must not depend on the machine.
    """
    fitting = EVAL_LOGITS // (layout.max_length * max(1, run.config.vocab.size))
    return run.train.evaluate_batch or min(MAX_EVAL_BATCH, max(1, fitting))


class EvalBatches(Dataset):
    """Batches of consecutive rows. Each rank takes every `world`-th, so each row is scored once.

    A rank without a batch gets an empty one: Lightning requires all ranks to take part in
    validation, because the metrics are summed over them.
    """

    def __init__(self, rows: Rows, batch: int, rank: int = 0, world: int = 1):
        self.rows = rows
        total = len(rows.prompt)
        starts = range(0, total, batch)
        batches = [(i, slice(i, min(i + batch, total))) for i in starts][rank::world]
        self.batches = batches or [(total, slice(total, total))]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> tuple[int, Rows]:
        first, span = self.batches[i]
        return first, self.rows.take(span)

    def __iter__(self) -> Iterator[tuple[int, Rows]]:
        return (self[i] for i in range(len(self)))


class DataModule(LightningDataModule):
    """The rows of a task, laid out as Examples of a package."""

    def __init__(self, run: Run, layout: Layout):
        super().__init__()
        self.run, self.layout = run, layout
        self.train = layout.examples(self.rows("train"))

    def rows(self, split: str) -> Rows:
        if not self.run.data.overfit:
            return self.run.task.rows(split)
        return self.run.task.rows("train").take(slice(0, self.run.train.batch))

    @cached_property
    def digests(self) -> dict[str, str]:
        """A digest of the rows of each split. A checkpoint stores them."""
        return {split: self.rows(split).digest for split in ("train", "val", "test")}

    @property
    def free_tokens(self) -> float:
        """Mean number of free tokens per training sequence. The loss is divided by it."""
        return (self.train.valid & ~self.train.fixed).sum(1).double().mean().item()

    def train_dataloader(self) -> DataLoader:
        assert self.trainer is not None
        t = self.trainer
        stream = Stream(self.train, self.run, t.global_step, t.global_rank, t.world_size)
        return DataLoader(stream, batch_size=None, num_workers=self.run.data.workers)

    def val_dataloader(self) -> DataLoader:
        assert self.trainer is not None
        t = self.trainer
        batch = eval_batch_size(self.run, self.layout)
        rows = EvalBatches(self.rows("val"), batch, t.global_rank, t.world_size)
        return DataLoader(rows, batch_size=None)
