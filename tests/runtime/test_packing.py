"""Packed documents: `segments` from the rows of a task to the network."""

import importlib
from pathlib import Path

import pytest
import torch
from code_blocks import blocks
from methods import ROOT
from package_runs import lines, run_package

from xlm_spec.compiler.build import build
from xlm_spec.laws.package import import_package
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.data.rows import Rows, joined
from xlm_spec.runtime.loading.layout import layout_of

PAGE = (ROOT / "docs" / "guides" / "extend-the-runtime.md").read_text()
TASK = next(b for b in blocks(PAGE, "python") if "TASK = Packed()" in b)
BACKBONE = next(b for b in blocks(PAGE, "python") if "segments: Tensor" in b)
SPEC = next(b for b in blocks(PAGE, "yaml") if "name: packing" in b)
LINES = [f"{i} plus {i % 7} is {i + i % 7}\n" for i in range(300)]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    place = tmp_path_factory.mktemp("packing")
    (place / "packed.py").write_text(TASK)
    (place / "within.py").write_text(BACKBONE)
    (place / "packing.yaml").write_text(SPEC)
    (place / "lines.txt").write_text("".join(LINES))
    return import_package(build(place / "packing.yaml", place / "out").folder, "packing")


@pytest.fixture(scope="module")
def run_of(package):
    main = importlib.import_module("packing.__main__")
    return resolve_config(package, main.DATA, main.TRAIN, size="cpu")


def clean(run_of, rows):
    layout = layout_of(run_of.package, run_of.task, run_of.config.vocab, run_of.data.fill)
    return layout.examples(rows)


def test_a_task_file_that_packs_is_short():
    assert len(TASK.splitlines()) <= 40


def test_every_token_is_in_a_document_once(run_of):
    rows = run_of.task.rows("train")
    x = clean(run_of, rows)
    decode = run_of.task.tokenizer.decode
    text = []
    for tokens, segments, valid in zip(x.tokens, x.segments, x.valid, strict=True):
        assert (segments[~valid] == -1).all()
        assert segments[0] == 0  # BOS is of the first document
        for number in range(int(segments.max()) + 1):
            text.append(decode(tokens[1:][segments[1:] == number].tolist()))
    assert "".join(text) == run_of.task.texts["train"]
    assert all(t.count("\n") <= 1 for t in text)
    free = (x.valid & ~x.fixed).sum()
    assert free == len(run_of.task.texts["train"]) == rows.answer_length.sum()


def test_documents_of_a_row_do_not_see_each_other(package, run_of):
    torch.manual_seed(0)
    model = package.Model(run_of.config).eval()
    x = clean(run_of, run_of.task.rows("val").take(slice(0, 4)))
    first = (x.segments == 0) & ~x.fixed
    other = x.tokens.masked_fill(first, 3)
    a, b = (model(t, x.valid, segments=x.segments) for t in (x.tokens, other))
    rest = x.segments > 0
    assert rest.any()
    assert torch.allclose(a[rest], b[rest], atol=1e-6)
    assert not torch.allclose(a[first], b[first], atol=1e-3)
    a, b = (model(t, x.valid) for t in (x.tokens, other))
    assert not torch.allclose(a[rest], b[rest], atol=1e-3)  # control: without segments


def test_the_loss_of_packed_documents_is_that_of_each_alone(package, run_of):
    """Of one mask: attention inside a document, and rotary positions, which are relative."""
    torch.manual_seed(0)
    model = package.Model(run_of.config).eval()
    objective = importlib.import_module("packing.objective")
    x = clean(run_of, run_of.task.rows("val").take(slice(0, 1)))
    corrupted = x.valid & ~x.fixed & (torch.arange(x.tokens.shape[1]) % 3 == 0)
    hidden = model(
        x.tokens.masked_fill(corrupted, run_of.config.vocab.mask), x.valid, None, x.segments
    )
    for number in range(1, int(x.segments.max()) + 1):
        inside = x.segments[0] == number
        z = x.tokens.masked_fill(corrupted, run_of.config.vocab.mask)[:, inside]
        alone = model(z, torch.ones_like(z, dtype=torch.bool))
        assert torch.allclose(alone, hidden[:, inside], atol=1e-4)
    assert "segments=x.segments" in Path(objective.__file__).read_text()


@pytest.mark.slow
def test_training_and_evaluation(package, tmp_path):
    words = ["--size", "cpu", "--steps", 20, "--set", "train.evaluate_every=20"]
    words += ["--set", "train.log_every=5", "--run", tmp_path / "run"]
    run_package(package, "train", *words)
    found = lines(tmp_path / "run")
    losses = [v["loss"] for v in found if v["split"] == "train"]
    assert losses[-1] < losses[0]
    done = run_package(package, "eval", "--run", tmp_path / "run", "--json")
    assert '"bits_per_character"' in done.stdout


def test_rows_keep_and_digest_their_segments():
    answer = torch.tensor([[1, 2, 3], [4, 5, 0]])
    lengths, none = torch.tensor([3, 2]), torch.zeros(2, 0, dtype=torch.long)
    segments = torch.tensor([[0, 0, 1], [0, 1, 7]])
    rows = Rows(none, torch.zeros(2), answer, lengths, segments)
    plain = rows._replace(segments=None)
    assert rows.take(torch.tensor([1])).segments.tolist() == [[0, 1, 7]]
    assert joined([rows, rows]).segments.tolist() == 2 * segments.tolist()
    assert joined([rows, rows._replace(segments=None)]).segments is None
    assert plain.take([0]).segments is None
    assert rows.digest != plain.digest
    padding = rows._replace(segments=torch.tensor([[0, 0, 1], [0, 1, 9]]))
    assert padding.digest == rows.digest
    assert rows._replace(segments=torch.tensor([[0, 1, 1], [0, 1, 7]])).digest != rows.digest
