"""Streams of numbered records, and the micro-batches that a process reads of them."""

import json
from types import SimpleNamespace

import datasets
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils.data import DataLoader

from xlm_spec.runtime.data.rows import padded_rows
from xlm_spec.runtime.data.streams import (
    Encoded,
    RecordStream,
    StreamBatches,
)
from xlm_spec.runtime.loading.data_module import MicroBatch, Stream

RECORDS, BATCH = 60, 6


def encode(records, rest):
    """A row for each record."""
    return Encoded(padded_rows([[]] * len(records["n"]), [[n] for n in records["n"]]), rest)


def stream(files, shards=1, buffer=24, encode=encode):
    found = datasets.load_dataset(
        "json", data_files=sorted(map(str, files.glob("*.jsonl"))), split="train", streaming=True
    )
    return RecordStream(found, encode, buffer, shards)


def train(accumulate=1, seed=0):
    return SimpleNamespace(batch=BATCH, accumulate=accumulate, seed=seed)


def numbers(rows):
    return rows.answer[:, 0].tolist()


def micro_batch(step, number, rows, positions):
    """With the numbers of the records for Examples."""
    return MicroBatch(step, number, numbers(rows), positions)


def batches(source, rank, world, workers, steps, accumulate=1, begin=0, positions=None):
    """The micro-batches of a rank, through a DataLoader: (step, number) -> records."""
    settings = train(accumulate)
    if isinstance(source, RecordStream):
        args = (begin, rank, world, positions or {}, micro_batch)
        data = StreamBatches(source, settings, *args)
    else:
        data = Stream(source, SimpleNamespace(train=settings), begin, rank, world)
    found = {}
    for batch in DataLoader(data, batch_size=None, num_workers=workers):
        if batch.step >= steps:
            break
        known = batch.x if isinstance(batch.x, list) else batch.x.tokens[:, 0].tolist()
        found[batch.step, batch.number] = known, batch.positions
    return found


PAIRS = [
    *("--task", "pairs", "--size", "cpu", "--set", "backbone.width=16"),
    *("--set", "backbone.layers=1", "--set", "backbone.heads=2", "--set", "train.batch=8"),
    *("--set", "train.sample_examples=2", "--set", "train.evaluate_every=10"),
    *("--set", "data.longest_prompt=1", "--set", "data.longest_answer=1"),
    *("--set", "data.held_out=4", "--set", "data.buffer=40", "--set", "data.streaming=true"),
]


def numbered_files(folder):
    """Records 0 .. 59 in three files."""
    for i in range(3):
        some = range(20 * i, 20 * i + 20)
        (folder / f"part-{i}.jsonl").write_text("".join(json.dumps({"n": n}) + "\n" for n in some))
    return folder


def pairs_of_a_stream(folder):
    """The settings of a stream of 200 pairs in two files."""
    known = Tokenizer(models.WordLevel({str(i): i for i in range(200)}))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(folder / "t.json"))
    for part in range(2):
        some = [
            {"prompt": str(i), "answer": str(i % 7)} for i in range(100 * part, 100 * part + 100)
        ]
        (folder / f"part-{part}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in some))
    found = [f"data.file={folder}/part-*.jsonl", f"data.tokenizer={folder}/t.json"]
    return [*PAIRS, *(w for s in found for w in ("--set", s))]
