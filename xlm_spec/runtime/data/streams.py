"""Training data that are read as they are needed: nothing but a buffer is in memory.

The records of a stream are read in `shards` logical shards. A logical shard reads records in its
order, encodes as many as the buffer holds, shuffles their rows, and cuts them into micro-batches;
after the last record it begins again, with its files in another order. Micro-batch u of a run is
made by logical shard u mod shards. So the data of a step depend on the seed, the number of logical
shards and of micro-batches in a step: not on processes and loading processes, and each record is
read once in a pass. A process makes the logical shards of its own micro-batches only, if the number
of logical shards is a multiple of the number of all loading processes.

The position of a logical shard is small: the state of the reader before the rows in the buffer, and
how many of these were used. A resumed run fills the buffer again.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch.utils.data import IterableDataset, get_worker_info

from xlm_spec.diagnostics import Diagnostic, Failed, first_line
from xlm_spec.runtime.data.rows import Rows, joined
from xlm_spec.runtime.randomness import generator, seed_of

MOST_SHARDS = 8  # unless the settings say more
SAMPLE = 1_000  # records that stand for all, to measure their lengths


class Encoded(NamedTuple):
    """The rows of some records, and the tokens that are left for the next ones."""

    rows: Rows
    rest: list[int] = []  # noqa: RUF012


@dataclass(frozen=True)
class RecordStream:
    """The records of training and how they become rows.

    `records`: an IterableDataset of the library datasets. `encode`: records by column, and the
    tokens left over by the records before -> rows, as many as they give.
    """

    records: Any
    encode: Callable[[Mapping[str, list], list[int]], Encoded]
    buffer: int  # records that are shuffled together, over all logical shards
    shards: int = 0  # logical shards; 0: as many as the data set has shards, at most MOST_SHARDS
    name: str = ""  # of the data set, for messages
    passes: int = 0  # over the records, after which the data end; 0: without end

    @property
    def logical_shards(self) -> int:
        """The largest divisor of the number of shards up to MOST_SHARDS, or `shards`."""
        found = getattr(self.records, "num_shards", 0) or self.records.n_shards  # its older name
        most = min(MOST_SHARDS, found)
        return self.shards or next(n for n in range(most, 0, -1) if found % n == 0)

    @property
    def sample(self) -> Rows:
        """The rows of the first records. Raises Failed (X506) if there are none."""
        batch = next(batches_of(self.records, SAMPLE, self.name), None)
        rows = self.encode(batch, []).rows if batch else None
        if rows is None or not len(rows.prompt):
            raise self.empty()
        return rows

    def empty(self) -> Failed:
        return Failed(Diagnostic("X506", f"the stream `{self.name}` gives no rows"))


def batches_of(records: Any, size: int, name: str) -> Iterator[dict[str, list]]:
    """Records in batches, by column. Raises Failed (X506) if they cannot be read."""
    try:
        yield from records.iter(batch_size=size)
    except Failed:
        raise
    except Exception as e:  # the network, the hub and the files raise different ones
        raise Failed(Diagnostic("X506", f"cannot read `{name}`: {first_line(e)}")) from None


@dataclass(frozen=True)
class Position:
    """A position in a logical shard, before its micro-batch `next`."""

    next: int = 0
    epoch: int = 0
    chunk: int = 0  # number in the epoch of the records in the buffer
    source: dict | None = None  # state of the reader before them
    rest: list[int] = field(default_factory=list)  # tokens left over by the records before them
    used: int = 0  # rows of the buffer that were used


class Ended(Exception):
    """The data have no further rows."""


class Chunk(NamedTuple):
    rows: Rows  # shuffled
    before: Position


class LogicalShard:
    """Micro-batches of `size` rows from every `of`-th shard of a stream, or every record."""

    def __init__(self, stream: RecordStream, number: int, seed: int, size: int, position: Position):
        self.stream, self.number, self.seed, self.size = stream, number, seed, size
        self.position = position
        self.chunks = self.read(position)
        self.chunk = Chunk(Rows(*(torch.empty(0, 0),) * 4), position)
        self.left = 0  # rows of the chunk that were not used

    def micro_batch(self, number: int) -> Rows:
        """The micro-batch of that number, which is not before `position`."""
        while self.position.next < number:
            self.take()
        return self.take()

    def take(self) -> Rows:
        """The next micro-batch."""
        parts, missing = [], self.size
        while missing:
            if not self.left:
                self.chunk = next(self.chunks)
                self.left = max(0, len(self.chunk.rows.prompt) - self.chunk.before.used)
                continue
            total = len(self.chunk.rows.prompt)
            n, first = min(missing, self.left), total - self.left
            parts.append(self.chunk.rows.take(slice(first, first + n)))
            self.left, missing = self.left - n, missing - n
        used = len(self.chunk.rows.prompt) - self.left
        self.position = replace(self.chunk.before, next=self.position.next + 1, used=used)
        return joined(parts)

    def read(self, position: Position) -> Iterator[Chunk]:
        """All chunks from a position on. Raises Ended after `passes`; Failed (X506) without any."""
        from datasets.distributed import split_dataset_by_node

        logical_shards, at = self.stream.logical_shards, position
        own = split_dataset_by_node(self.stream.records, self.number, logical_shards)
        while not self.stream.passes or at.epoch < self.stream.passes:
            rows_in_epoch = at.chunk
            own.set_epoch(1 + seed_of(self.seed, at.epoch, "shards") % 2**30)
            if at.source is not None:
                own.load_state_dict(at.source)
            size = max(1, self.stream.buffer // logical_shards)
            for batch in batches_of(own, size, self.stream.name):
                rows, rest = self.stream.encode(batch, at.rest)
                key = (self.seed, at.epoch, self.number, at.chunk, "buffer")
                order = torch.randperm(len(rows.prompt), generator=generator(*key))
                yield Chunk(rows.take(order), at)
                rows_in_epoch += len(order)
                at = Position(0, at.epoch, at.chunk + 1, own.state_dict(), rest)
            if not rows_in_epoch:
                raise self.stream.empty()
            at = Position(0, at.epoch + 1, 0, None, at.rest)
            own = split_dataset_by_node(self.stream.records, self.number, logical_shards)
        raise Ended


def written(positions: Mapping[int, Position]) -> str:
    return json.dumps({number: asdict(position) for number, position in positions.items()})


def positions_in(text: str) -> dict[int, Position]:
    """The positions of logical shards in a batch or a checkpoint."""
    return {int(k): Position(**v) for k, v in json.loads(text or "{}").items()}


def later(a: Mapping[int, Position], b: Mapping[int, Position]) -> dict[int, Position]:
    """For each logical shard the later one of its positions."""
    return {k: max((p[k] for p in (a, b) if k in p), key=lambda p: p.next) for k in {*a, *b}}


class StreamBatches(IterableDataset):
    """The micro-batches of a rank from a stream, from an optimiser step on.

    `finish` makes a micro-batch from (step, number of the micro-batch, rows, positions).
    """

    def __init__(
        self,
        stream: RecordStream,
        train: Any,  # settings
        step: int,
        rank: int,
        world: int,
        positions: Mapping[int, Position],
        finish: Callable[[int, int, Rows, str], Any],
    ):
        self.stream, self.train, self.step = stream, train, step
        self.rank, self.world, self.positions, self.finish = rank, world, positions, finish

    def __iter__(self) -> Iterator[Any]:
        """A diagnostic is an item: an exception would lose it on its way out of a process."""
        try:
            yield from self.batches()
        except Failed as e:
            yield e.diagnostics[0]

    def ended(self, step: int) -> Failed:
        """X506: `step` steps were made from whole batches."""
        passes = f"{self.stream.passes} pass{'es' * (self.stream.passes > 1)}"
        message = f"`{self.stream.name}` ends after {passes}, within step {step + 1}"
        hint = "repeat the data: data.passes=0"
        hint = f"end the run with --resume --steps {step}, or {hint}" if step else hint
        return Failed(Diagnostic("X506", message, hint))

    def batches(self) -> Iterator[Any]:
        worker, parts = get_worker_info(), self.train.accumulate
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        size, logical_shards = self.train.batch // (parts * self.world), self.stream.logical_shards
        opened: dict[int, LogicalShard] = {}
        own = self.step * parts + first  # number among the micro-batches of this rank
        while True:
            step, number = own // parts, own % parts * self.world + self.rank
            turn, shard = divmod(own * self.world + self.rank, logical_shards)
            if shard not in opened:
                begin = self.positions.get(shard, Position())
                opened[shard] = LogicalShard(self.stream, shard, self.train.seed, size, begin)
            try:
                rows = opened[shard].micro_batch(turn)
            except Ended:
                raise self.ended(step) from None
            yield self.finish(step, number, rows, written({shard: opened[shard].position}))
            own += every
