"""Every record is read once: from rows and from streams, and over processes."""

import json
from collections import Counter
from types import SimpleNamespace

import datasets
import pytest
import torch
from record_streams import (
    BATCH,
    RECORDS,
    batches,
    encode,
    micro_batch,
    numbered_files,
    numbers,
    stream,
    train,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils.data import DataLoader

from components.types import Examples
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.data.rows import padded_rows
from xlm_spec.runtime.data.streams import (
    Encoded,
    LogicalShard,
    Position,
    RecordStream,
    StreamBatches,
    later,
    positions_in,
    written,
)
from xlm_spec.runtime.loading.data_module import DataModule, InMemory, finished
from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.corpus import part_of
from xlm_spec.runtime.tasks.pairs import Options as PairOptions
from xlm_spec.runtime.tasks.text import Options


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return numbered_files(tmp_path_factory.mktemp("records"))


PASS = {1: 10, 6: 30}  # logical shards -> steps after which each has read its records as often


def rows_in_memory():
    tokens = torch.arange(RECORDS)[:, None]
    return InMemory(Examples(tokens, tokens >= 0, tokens < 0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rows", "stream", "logical_shards"])
def test_every_record_is_read_once(kind, files):
    """1, 2 and 3 processes with 0, 1 and 2 loading processes each."""
    logical_shards = 6 if kind == "logical_shards" else 1
    source = rows_in_memory() if kind == "rows" else stream(files, logical_shards)
    seen: dict = {}
    for world in (1, 2, 3):
        for workers in (0, 1, 2):
            found: dict = {}
            for rank in range(world):
                found |= batches(source, rank, world, workers, PASS[logical_shards])
            once = {k: v for k, (v, _) in found.items()}
            count = Counter(n for some in once.values() for n in some)
            assert count == dict.fromkeys(range(RECORDS), PASS[logical_shards] * BATCH // RECORDS)
            assert seen.setdefault(world, once) == once  # whatever the loading processes


@pytest.mark.parametrize("shards", [1, 2, 3, 6])
def test_ranks_and_micro_batches_share_a_stream(shards, files):
    """Two processes read what one process with two micro-batches a step reads."""
    source = stream(files, shards)
    one = batches(source, 0, 1, 0, 12, accumulate=2)
    two = batches(source, 0, 2, 0, 12) | batches(source, 1, 2, 0, 12)
    assert {k: v for k, (v, _) in one.items()} == {k: v for k, (v, _) in two.items()}


def test_a_stream_is_shuffled_and_endless(files):
    found = batches(stream(files), 0, 1, 0, 30)
    passes = [[n for s in range(10 * p, 10 * p + 10) for n in found[s, 0][0]] for p in range(3)]
    assert all(sorted(p) == list(range(RECORDS)) for p in passes)
    assert len({tuple(p) for p in passes}) == 3
    assert passes[0] != sorted(passes[0])
    files_of = [[n // 20 for n in p] for p in passes]
    assert len({tuple(dict.fromkeys(f[:24])) for f in files_of}) > 1  # files in another order
    again = batches(stream(files), 0, 1, 0, 30)
    assert again == found


@pytest.mark.parametrize("shards", [1, 2, 3])
@pytest.mark.parametrize("worlds", [(1, 1), (2, 2), (1, 2), (2, 1)])
def test_a_stream_continues_at_any_step(shards, worlds, files):
    """Also with another number of processes, if the micro-batches of a step stay the same."""
    source, before, after = stream(files, shards), *worlds
    whole = batches(source, 0, 1, 0, 40, accumulate=2)
    for step in (1, 4, 10, 23):
        positions: dict = {}
        for rank in range(before):
            part = batches(source, rank, before, 0, step, accumulate=2 // before)
            for _, text in part.values():
                positions = later(positions, positions_in(text))
        positions = positions_in(written(positions))
        found: dict = {}
        for rank in range(after):
            more = {"accumulate": 2 // after, "begin": step, "positions": positions}
            found |= batches(source, rank, after, 0, 40, **more)
        wanted = {k: v for k, (v, _) in whole.items() if k[0] >= step}
        assert {k: v for k, (v, _) in found.items()} == wanted


def test_control_a_position_that_is_lost(files):
    found = batches(stream(files), 0, 1, 0, 8)
    again = batches(stream(files), 0, 1, 0, 8, begin=4)
    assert again[4, 0][0] == found[4, 0][0]  # read again up to there
    moved = {0: Position(next=4)}
    assert batches(stream(files), 0, 1, 0, 8, begin=4, positions=moved)[4, 0][0] != found[4, 0][0]


def test_the_tokens_between_two_buffers_are_kept(tmp_path):
    """A pass over a stream of text gives each token of training once, but for the last block."""
    words = [f"w{i}" for i in range(400)]
    known = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}))
    known.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    known.save(str(tmp_path / "t.json"))
    texts = [" ".join(words[j : j + 5]) for j in range(0, 400, 5)]
    for i in range(2):
        (tmp_path / f"part-{i}.txt").write_text("\n".join(texts[40 * i : 40 * i + 40]))
    files = {"file": str(tmp_path / "part-*.txt"), "tokenizer": str(tmp_path / "t.json")}
    task = find("text").with_options(Options(**files, block=7, streaming=True, buffer=10))
    cut = ["val", "test"]
    wanted = {w for t in texts if part_of(t, cut) == "train" for w in t.split()}
    shard = LogicalShard(
        RecordStream(task.tables["train"], task.encode, 10, 1), 0, 0, 1, Position()
    )
    rows = [shard.take() for _ in range(len(wanted) // 7)]
    seen = [w for r in rows for w in task.tokenizer.decode(r.answer[0].tolist()).split()]
    assert len(set(seen)) == len(seen) > 300
    assert set(seen) <= wanted
    assert len(wanted) - len(seen) < 7
    for split in cut:
        held_out = "".join(f"{t}\n" for t in texts if part_of(t, cut) == split)
        assert task.texts[split] == held_out


def test_a_stream_without_rows_is_one_diagnostic(files):
    nothing = lambda records, rest: Encoded(padded_rows([], []), rest)  # noqa: E731
    source = stream(files, encode=nothing)
    with pytest.raises(Failed, match="gives no rows"):
        _ = source.sample
    settings = (train(), 0, 0, 1, {}, micro_batch)
    for workers in (0, 1):
        found = iter(DataLoader(StreamBatches(source, *settings), None, num_workers=workers))
        diagnostic = next(found)
        assert diagnostic.code == "X506"
        with pytest.raises(Failed, match="gives no rows"):
            DataModule.on_before_batch_transfer(SimpleNamespace(), diagnostic, 0)


def test_the_number_of_logical_shards_divides_the_shards(files):
    assert stream(files, shards=0).logical_shards == 3
    assert stream(files, shards=4).logical_shards == 4


def test_positions_are_those_after_the_last_step_that_ended(files):
    """A batch that was fetched, but not trained on, does not count."""
    module = SimpleNamespace(after={-1: {}}, stream=True, trainer=SimpleNamespace(world_size=1))
    module.positions = lambda step: DataModule.positions(module, step)
    tokens = torch.zeros(BATCH, 1)
    for step in range(3):
        text = written({0: Position(next=step + 1)})
        x = Examples(tokens, tokens, tokens)
        DataModule.on_before_batch_transfer(module, finished(train(), x, step, 0, text), 0)
    for ended in (2, 3):
        module.trainer.global_step = ended
        found = positions_in(DataModule.state_dict(module)["positions"])
        assert found == {0: Position(next=ended)}


def test_a_folder_of_a_data_set_is_streamed(tmp_path):
    """As a data set of the hub is; its own splits are used."""
    for split, given in (("train", range(30)), ("validation", range(30, 35))):
        some = [{"prompt": str(n), "answer": str(n)} for n in given]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, some)))
    known = Tokenizer(models.WordLevel({str(i): i for i in range(40)}))
    known.save(str(tmp_path / "t.json"))
    more = {"tokenizer": str(tmp_path / "t.json"), "longest_prompt": 1, "longest_answer": 1}
    task = find("pairs").with_options(PairOptions(hub=str(tmp_path), streaming=True, **more))
    val, test = (task.rows(split).answer[:, 0].tolist() for split in ("val", "test"))
    assert val == list(range(30, 35))
    shard = LogicalShard(task.stream, 0, 0, 30 - len(test), Position())
    assert sorted([*numbers(shard.take()), *test]) == list(range(30))


def test_a_stream_of_a_generator(files):
    """Its lists are its shards; it continues where it was."""

    def drawn(starts):
        for start in starts:
            yield from ({"n": n} for n in range(start, start + 10))

    found = datasets.IterableDataset.from_generator(drawn, gen_kwargs={"starts": [0, 10, 20]})
    source = RecordStream(found, encode, buffer=12)
    assert source.logical_shards == 3
    whole = batches(source, 0, 1, 0, 15)  # each logical shard has read its records three times
    assert Counter(n for v, _ in whole.values() for n in v) == dict.fromkeys(range(30), 3)
    positions: dict = {}
    for step in range(4):
        positions = later(positions, positions_in(whole[step, 0][1]))
    again = batches(source, 0, 1, 0, 15, begin=4, positions=positions)
    assert again == {k: v for k, v in whole.items() if k[0] >= 4}


def test_a_stream_reads_no_more_than_its_buffer():
    read = []

    def drawn():
        for n in range(10**9):
            read.append(n)
            yield {"n": n}

    found = datasets.IterableDataset.from_generator(drawn)
    shard = LogicalShard(RecordStream(found, encode, buffer=20), 0, 0, 8, Position())
    for _ in range(6):
        shard.take()
    assert 48 <= len(read) <= 60


def test_a_record_that_cannot_be_read_is_one_diagnostic(tmp_path):
    def drawn():
        yield {"n": 1}
        raise ConnectionError("the hub is away")

    broken = datasets.IterableDataset.from_generator(drawn)
    [item] = StreamBatches(RecordStream(broken, encode, 9, 1), train(), 0, 0, 1, {}, micro_batch)
    assert (item.code, "the hub is away" in item.message) == ("X506", True)
