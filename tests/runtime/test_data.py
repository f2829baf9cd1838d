"""Data and their layout: rows and batches; each example is trained on and scored once."""

from collections import namedtuple
from itertools import islice
from types import SimpleNamespace

import pytest
import torch

from components.types import Examples, Vocab
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime import tasks
from xlm_spec.runtime.config.settings import Data
from xlm_spec.runtime.data.metrics import sequence_accuracy, token_accuracy
from xlm_spec.runtime.evaluation.metric_tracker import MetricTracker
from xlm_spec.runtime.loading.data_module import EvalBatches, InMemory, Stream
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.tasks.task import Metric, Rows

VOCAB = Vocab(size=14, pad=10, bos=11, eos=12, mask=13)


def rows(*pairs):
    """Rows of prompts and answers of any length."""

    def padded(lists):
        wide = max(len(x) for x in lists)
        return torch.tensor([[*x, *[9] * (wide - len(x))] for x in lists])

    prompts, answers = zip(*pairs, strict=True)
    lengths = [torch.tensor([len(x) for x in xs]) for xs in (prompts, answers)]
    return Rows(padded(prompts), lengths[0], padded(answers), lengths[1])


ROWS = rows(([1, 2, 3], [4, 5]), ([6], [7, 8, 9]))


def layout(fill, vocab=VOCAB):
    return Layout(Examples, vocab, fill, longest_prompt=3, longest_answer=3)


def test_eos_fills_a_canvas_of_fixed_length():
    x = layout("eos").examples(ROWS)
    assert x.tokens.tolist() == [
        [11, 1, 2, 3, 11, 4, 5, 12, 12],
        [11, 11, 11, 6, 11, 7, 8, 9, 12],
    ]
    assert x.valid.all()
    assert x.fixed.sum(1).tolist() == [5, 5]


def test_a_text_that_grows_ends_with_one_eos():
    x = layout("none").examples(ROWS)
    assert x.valid.sum(1).tolist() == [8, 9]
    assert x.tokens[0, :8].tolist() == [11, 1, 2, 3, 11, 4, 5, 12]


def test_every_answer_begins_at_the_same_position():
    """Whatever the length of its prompt."""
    for x in (layout("eos").examples(ROWS), layout("none").examples(ROWS)):
        free = x.valid & ~x.fixed
        assert free.long().argmax(1).tolist() == [5, 5]
        assert x.tokens[:, 4].eq(VOCAB.bos).all()


def test_the_start_does_not_depend_on_the_length_of_the_answer():
    """The start of two examples that differ in their answers alone is the same."""
    for fill in ("eos", "none"):
        long = rows(([1, 2], [3, 4, 5]))
        short = rows(([1, 2], [6]))
        a, b = (layout(fill).start(r.prompt, r.prompt_length) for r in (long, short))
        assert all(torch.equal(x, y) for x, y in zip(a[:3], b[:3], strict=True))


@pytest.mark.parametrize("fill", ["eos", "none"])
def test_answers_are_decoded_from_the_layout(fill):
    place = layout(fill)
    x = place.examples(ROWS)
    assert place.answers(x.tokens, x.valid, x.fixed).tolist()[0][:3] == [4, 5, -1]
    assert place.answers(x.tokens, x.valid, x.fixed).tolist()[1][:3] == [7, 8, 9]
    assert ROWS.truths.tolist() == [[4, 5, -1], [7, 8, 9]]


def test_metrics():
    truth = rows(([0], [1, 2, 3]), ([0], [4, 5]), ([0], [6, 7]))
    answer = torch.tensor([[1, 2, 3], [4, 9, -1], [6, 7, 8]])
    right, weight = sequence_accuracy(answer, truth)
    assert right.tolist() == [1, 0, 0]  # too long is wrong
    assert weight.tolist() == [1, 1, 1]
    share, counts = token_accuracy(answer[:, :2], truth)
    assert counts.tolist() == [3, 2, 2]
    assert torch.allclose(share, torch.tensor([2 / 3, 1 / 2, 1]).double())


def test_an_unknown_task():
    with pytest.raises(Failed, match="unknown task"):
        tasks.find("star_eazy")


def run(batch=8, accumulate=1):
    return SimpleNamespace(train=SimpleNamespace(batch=batch, accumulate=accumulate, seed=0))


def numbered(n=20):
    """Examples whose only token is their number."""
    tokens = torch.arange(n)[:, None]
    return Examples(tokens, tokens >= 0, tokens < 0)


def take(stream, n):
    return [part.x for part, _ in zip(stream, range(n), strict=False)]


def test_an_epoch_holds_each_row_once():
    seen = torch.cat(
        [x.tokens[:, 0] for x in take(Stream(InMemory(numbered()), run(), 0, 0, 1), 5)]
    )
    assert sorted(seen[:20].tolist()) == list(range(20))
    assert sorted(seen[20:].tolist()) == list(range(20))
    assert seen[:20].tolist() != seen[20:].tolist()


def test_a_later_start_continues_the_stream():
    whole = take(Stream(InMemory(numbered()), run(), 0, 0, 1), 6)
    later = take(Stream(InMemory(numbered()), run(), 4, 0, 1), 2)
    for a, b in zip(whole[4:], later, strict=True):
        assert torch.equal(a.tokens, b.tokens)
        assert torch.equal(a.index, b.index)
    assert [x.step for x in whole] == [0, 1, 2, 3, 4, 5]
    assert [x.step for x in later] == [4, 5]


def test_all_micro_batches_of_a_step_have_its_number():
    stream = Stream(InMemory(numbered()), run(accumulate=2), 3, 0, 2)
    assert [x.step for x in take(stream, 4)] == [3, 3, 4, 4]


def test_a_package_of_an_earlier_version_has_no_step():
    old = namedtuple("Examples", [f for f in Examples._fields if f != "step"])
    x = numbered()
    [first] = take(Stream(InMemory(old(*x[: len(old._fields)])), run(), 0, 0, 1), 1)
    assert torch.equal(first.tokens, take(Stream(InMemory(x), run(), 0, 0, 1), 1)[0].tokens)
    assert first.total == 8


@pytest.mark.parametrize(("world", "accumulate"), [(2, 1), (1, 2), (2, 2)])
def test_ranks_and_micro_batches_share_the_global_batch(world, accumulate):
    [whole] = take(Stream(InMemory(numbered()), run(), 3, 0, 1), 1)
    streams = [
        Stream(InMemory(numbered()), run(accumulate=accumulate), 3, r, world) for r in range(world)
    ]
    parts = [x for s in streams for x in take(s, accumulate)]
    assert sorted(torch.cat([p.tokens for p in parts]).flatten().tolist()) == sorted(
        whole.tokens.flatten().tolist()
    )
    assert sorted(torch.cat([p.index for p in parts]).tolist()) == list(range(8))
    assert {p.total for p in parts} == {8}


def test_micro_batches_do_not_depend_on_the_rank():
    """Two ranks and two micro-batches of one rank have the same two parts."""
    whole = islice(Stream(InMemory(numbered()), run(accumulate=2), 3, 0, 1), 2)
    ranks = [next(iter(Stream(InMemory(numbered()), run(), 3, r, 2))) for r in range(2)]
    for a, b in zip(whole, ranks, strict=True):
        assert (a.step, a.number) == (b.step, b.number)
        assert torch.equal(a.x.tokens, b.x.tokens)
        assert torch.equal(a.x.index, b.x.index)


def test_means_weight_each_example():
    """And where a device scored nothing, it takes part with nothing."""
    task = SimpleNamespace(metrics={"token_accuracy": Metric(token_accuracy)}, tokenizer=None)
    scores = MetricTracker(SimpleNamespace(task=task, data=Data()))
    assert set(scores.compute(answers=False)) == {"loss"}
    scores.reset()
    scores.add_loss(torch.tensor([1.0, 2.0, 3.0, 4.0]), 2.0)
    scores.add_answers(torch.tensor([[1, 2], [3, -1]]), rows(([0], [1, 2]), ([0], [4])))
    for _ in range(2):
        assert scores.compute() == pytest.approx({"loss": 1.25, "token_accuracy": 2 / 3})


def of_lengths(n=103):
    """Examples of 2 to 12 valid positions; their first token is their number."""
    length = torch.randint(2, 13, (n, 1), generator=torch.Generator().manual_seed(0))
    tokens = torch.arange(n)[:, None].expand(-1, 12)
    valid = torch.arange(12) < length
    return InMemory(Examples(tokens, valid, ~valid)), length[:, 0]


def test_buckets_hold_rows_of_similar_length():
    """Each row once an epoch; batches are as wide as their longest row, and in no order."""
    examples, lengths = of_lengths()
    parts = take(Stream(examples, run(), 0, 0, 1, lengths, bucket=4), 26)
    plain = take(Stream(examples, run(), 0, 0, 1), 26)
    seen = torch.cat([x.tokens[:, 0] for x in parts])
    for epoch in (seen[:103], seen[103:206]):
        assert sorted(epoch.tolist()) == list(range(103))
    assert all(x.valid.shape == x.fixed.shape == x.tokens.shape for x in parts)
    assert all(x.valid.any(0).all() for x in parts)
    padded, before = (sum(int((~x.valid).sum()) for x in p) for p in (parts, plain))
    assert padded < before / 3
    widths = [x.tokens.shape[1] for x in parts[:12]]
    assert widths != sorted(widths)
    later = take(Stream(examples, run(), 20, 0, 1, lengths, bucket=4), 6)
    for a, b in zip(parts[20:], later, strict=True):
        assert torch.equal(a.tokens, b.tokens)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_every_example_is_scored_once(world):
    many = rows(*[([i % 9], [i % 7]) for i in range(103)])
    many = many._replace(prompt=torch.arange(103)[:, None])
    seen = []
    for rank in range(world):
        part = EvalBatches(many, batch=10, rank=rank, world=world)
        seen += [v for _, rows in part for v in rows.prompt[:, 0].tolist()]
    assert sorted(seen) == list(range(103))
