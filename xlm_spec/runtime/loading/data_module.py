"""Batches. They depend on the step alone, so a resumed run sees the same ones."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import count, islice
from typing import Any, NamedTuple, Protocol

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.choices import options_of
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.data.streams import (
    Position,
    StreamBatches,
    later,
    positions_in,
    written,
)
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.loading.managers import Loaders
from xlm_spec.runtime.machine import notes
from xlm_spec.runtime.randomness import generator

EVAL_LOGITS = 2**26  # logits of an evaluation batch: 256 MB in float32
MAX_EVAL_BATCH = 250  # examples of an evaluation batch
IN_MEMORY = 2**24  # positions of training data that are laid out once
CHUNK = 2**12  # rows that are laid out together otherwise


class MicroBatch(NamedTuple):
    """One of the `accumulate * world` micro-batches of an optimiser step."""

    step: int
    number: int  # of the micro-batch in the global batch
    x: Any  # the package's Examples
    positions: str = ""  # of a stream after this micro-batch


class TrainingData(Protocol):
    """Laid-out examples by their number."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Tensor | slice) -> Any:
        """The package's Examples of some rows."""
        ...


class InMemory:
    """Examples that are laid out once."""

    def __init__(self, examples: Any):
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples.tokens)

    def __getitem__(self, rows: Tensor | slice) -> Any:
        return type(self.examples)(*(a if a is None else a[rows] for a in self.examples))


class OnDemand:
    """Examples that are laid out when they are read. The rows may be mapped from a file."""

    def __init__(self, rows: Rows, layout: Layout):
        self.rows, self.layout = rows, layout

    def __len__(self) -> int:
        return len(self.rows.prompt)

    def __getitem__(self, rows: Tensor | slice) -> Any:
        return self.layout.examples(self.rows.take(rows))


def laid_out(rows: Rows, layout: Layout) -> TrainingData:
    examples = OnDemand(rows, layout)
    small = len(examples) * layout.max_length <= IN_MEMORY
    return InMemory(examples[:]) if small else examples


def finished(train, x, step: int, number: int, positions: str = "") -> MicroBatch:
    """A micro-batch with its place in the global batch.

    `index` and `total` of Examples are a random permutation of the global batch, so that strata of
    time span it.
    """
    size = len(x.tokens)
    strata = torch.randperm(train.batch, generator=generator(train.seed, step, "strata"))
    index = strata[number * size : (number + 1) * size]
    given = {"index": index, "total": train.batch, "step": step}
    given = {k: v for k, v in given.items() if k in x._fields}  # old packages have no `step`
    return MicroBatch(step, number, x._replace(**given), positions)


class Stream(IterableDataset):
    """Endless training batches, starting at an optimiser step.

    Rows are shuffled in each epoch. A global batch of `batch` rows is split into `accumulate`
    micro-batches for each of `world` ranks. The data of a step depend on the number of
    micro-batches, not on which rank computes them. With n loading processes, process i makes every
    n-th micro-batch from the i-th on: a DataLoader takes turns.

    `lengths`, (N,) of the examples: batches have rows of similar length, and are cut after the last
    valid position. The rows of `bucket` batches are sorted together.
    """

    def __init__(
        self,
        examples: TrainingData,
        run: Run,
        step: int,
        rank: int,
        world: int,
        lengths: Tensor | None = None,
        bucket: int = 0,
    ):
        self.examples, self.train, self.step = examples, run.train, step
        self.rank, self.world = rank, world
        self.lengths, self.bucket = lengths, bucket
        self.orders: dict[int, Tensor] = {}  # of epochs, with lengths

    def __iter__(self) -> Iterator[MicroBatch]:
        every = ((step, i) for step in count(self.step) for i in range(self.train.accumulate))
        worker = get_worker_info()
        assigned = islice(every, worker.id, None, worker.num_workers) if worker else every
        return (self.micro_batch(step, i) for step, i in assigned)

    def micro_batch(self, step: int, i: int) -> MicroBatch:
        """Micro-batch `i` of this rank in an optimiser step."""
        size = self.train.batch // (self.train.accumulate * self.world)
        number = i * self.world + self.rank
        rows = self.rows(step)[number * size : (number + 1) * size]
        x = self.examples[rows]
        x = x if self.lengths is None else cut(x)
        return finished(self.train, x, step, number)

    def rows(self, step: int) -> torch.Tensor:
        """Row numbers of a global batch: the next `batch` of the concatenated shuffled epochs."""
        total, batch = len(self.examples), self.train.batch
        first, last = step * batch // total, ((step + 1) * batch - 1) // total
        parts = []
        for epoch in range(first, last + 1):
            order = self.order(total, epoch)
            begin, end = (s * batch - epoch * total for s in (step, step + 1))
            parts.append(order[max(0, begin) : end])
        return torch.cat(parts)

    def order(self, total: int, epoch: int) -> Tensor:
        """The order of rows in an epoch."""
        if self.lengths is None:
            return shuffled(total, self.train.seed, epoch)
        if epoch not in self.orders:
            rest = -epoch * total % self.train.batch  # rows of a batch that began in the last epoch
            order = shuffled(total, self.train.seed, epoch)
            rng = generator(self.train.seed, epoch, "buckets")
            given = self.lengths, self.train.batch, self.bucket, rng
            sorted_ = torch.cat([order[:rest], bucketed(order[rest:], *given)])
            self.orders = {k: v for k, v in self.orders.items() if k == epoch - 1}
            self.orders[epoch] = sorted_
        return self.orders[epoch]


def bucketed(order: Tensor, lengths: Tensor, batch: int, bucket: int, rng) -> Tensor:
    """Rows in an order in which each batch has rows of similar length, and batches are shuffled.

    Among every `bucket` batches the rows are sorted by length; a rest of the order stays as it is.
    """
    parts = []
    whole = len(order) // batch * batch
    for some in order[:whole].split(batch * bucket):
        batches = some[lengths[some].argsort(stable=True)].view(-1, batch)
        parts.append(batches[torch.randperm(len(batches), generator=rng)].flatten())
    return torch.cat([*parts, order[whole:]])


def cut(x):
    """Examples without the positions after the last valid one of all rows."""
    wide = x.valid.shape[1]
    longest = int((x.valid * torch.arange(1, wide + 1)).max())

    def shorter(a):
        return a[:, :longest] if isinstance(a, Tensor) and a.shape[1:2] == (wide,) else a

    return type(x)(*map(shorter, x))


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
    """The data of a run: one manager per data set, and the loaders of each stage."""

    def __init__(self, run: Run, layout: Layout):
        super().__init__()
        self.run, self.layout = run, layout
        self.loaders = Loaders(run)
        self.stream = None if run.data.overfit else self.loaders.stream
        if self.stream and run.data.bucket:
            message = "`data.bucket` does not apply to the training data of a stream"
            raise Failed(Diagnostic("X602", message))
        rows = self.stream.sample if self.stream else self.rows("train")
        self.train = laid_out(rows, layout)  # of a stream, a sample
        for loader in self.loaders.of("val"):
            self.loaders.rows(loader, "val")  # its diagnostics come before the first step
        self.after: dict[int, dict[int, Position]] = {-1: {}}  # step -> positions after it
        self.alone = False  # the other processes may have ended: only their notes are there

    def rows(self, split: str) -> Rows:
        """The rows of the run's own loader for training, validation or testing."""
        if self.run.data.overfit:
            return self.loaders.own.rows("train").take(slice(0, self.run.train.batch))
        if split == "train":
            return self.loaders.training()
        return self.loaders.own.rows(split)

    @cached_property
    def digests(self) -> dict[str, str]:
        """A digest of each split, of a stream of its first rows. A checkpoint stores them."""
        found = {split: self.rows(split).digest for split in ("val", "test")}
        if not self.stream:
            return {"train": self.rows("train").digest, **found}
        order = self.stream.logical_shards, self.stream.buffer  # positions are of this order
        return {"train": f"{self.stream.sample.digest} {order}", **found}

    def parts(self) -> Iterator[Any]:
        """The training data in parts, for a stream a sample of them."""
        for first in range(0, len(self.train), CHUNK):
            yield self.train[first : first + CHUNK]

    @property
    def free_tokens(self) -> float:
        """Mean number of free tokens per training sequence. The loss is divided by it."""
        free = [(x.valid & ~x.fixed).sum(1) for x in self.parts()]
        return torch.cat(free).double().mean().item()

    @property
    def lengths(self) -> Tensor:
        """Number of valid positions of each training example, (N,)."""
        return torch.cat([x.valid.sum(1) for x in self.parts()])

    def longest(self, n: int) -> Any:
        """The n longest training examples."""
        return self.train[self.lengths.argsort(descending=True, stable=True)[:n]]

    def train_dataloader(self) -> DataLoader:
        assert self.trainer is not None
        t, run = self.trainer, self.run
        at = t.global_step, t.global_rank, t.world_size
        lengths = self.lengths if run.data.bucket else None
        batches: IterableDataset = Stream(self.train, run, *at, lengths, run.data.bucket)
        if self.stream:
            known = self.positions(t.global_step)
            batches = StreamBatches(self.stream, run.train, *at, known, self.of_stream)
        return DataLoader(batches, batch_size=None, num_workers=run.data.workers)

    def of_stream(self, step: int, number: int, rows: Rows, positions: str) -> MicroBatch:
        return finished(self.run.train, self.layout.examples(rows), step, number, positions)

    def val_dataloader(self) -> list[DataLoader]:
        assert self.trainer is not None
        t = self.trainer
        batch = eval_batch_size(self.run, self.layout)
        every, most = [], self.run.train.evaluate_examples
        for loader in self.loaders.of("val"):
            rows = self.loaders.rows(loader, "val") if loader.name else self.rows("val")
            every.append(rows.take(slice(0, most)) if most else rows)
        if reads_training(self.run):
            rows = self.stream.sample if self.stream else self.rows("train")
            every.append(rows.take(slice(0, self.run.train.sample_examples)))
        batches = (EvalBatches(rows, batch, t.global_rank, t.world_size) for rows in every)
        return [DataLoader(b, batch_size=None) for b in batches]

    # the position in a stream, which checkpoints store

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Notes the position of a training batch. Raises Failed if the stream sent a diagnostic."""
        if isinstance(batch, Diagnostic):
            raise Failed(batch)
        if isinstance(batch, MicroBatch) and batch.positions:
            before = self.positions(batch.step + 1)
            self.after[batch.step] = later(before, positions_in(batch.positions))
            self.after.pop(batch.step - 2, None)
            if self.trainer is not None and self.trainer.world_size > 1:
                note(self.trainer.global_rank, batch.step, self.after[batch.step])
        return batch

    def positions(self, step: int) -> dict[int, Position]:
        """The positions of the logical shards before a step, as far as this process knows them."""
        return self.after[max(s for s in self.after if s < step)]

    def state_dict(self) -> dict[str, str]:
        """The latest positions of all processes before the next step."""
        if not self.stream or self.trainer is None:
            return {}
        found = self.positions(self.trainer.global_step)
        if self.trainer.world_size > 1 and self.alone:
            for rank in range(self.trainer.world_size):
                found = later(found, noted(rank, self.trainer.global_step))
        elif self.trainer.world_size > 1:
            every: list[Any] = [None] * self.trainer.world_size
            torch.distributed.all_gather_object(every, written(found))
            for text in every:
                found = later(found, positions_in(text))
        return {"positions": written(found)}

    def load_state_dict(self, state_dict: dict[str, str]) -> None:
        self.after = {-1: positions_in(state_dict["positions"])}


def note(rank: int, step: int, positions: Mapping[int, Position]) -> None:
    """Leaves the positions of a process after a step; those of the last two steps stay."""
    notes.leave(f"{rank}/{step % 3}", json.dumps([step, written(positions)]))


def noted(rank: int, step: int) -> dict[int, Position]:
    """The positions of a process before a step, also of one that has ended.

    A process that has made the step before has noted them: all processes share its gradients.
    """
    found = [json.loads(text) for i in range(3) if (text := notes.read(f"{rank}/{i}"))]
    before = [(s, text) for s, text in found if s < step]
    return positions_in(max(before)[1]) if before else {}


def reads_training(run: Run) -> bool:
    """Does a metric ask for the stage `train`, and are there samples at validation?"""
    stages = [options_of(code).get("stages", ()) for code in run.data.metrics]
    asked = any("train" in ([s] if isinstance(s, str) else s) for s in stages)
    return asked and run.train.sample_examples > 0
