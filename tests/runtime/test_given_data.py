"""Data are never changed silently: settings of a tokenizer are disabled or reported."""

import json

import pytest
import torch
from methods import ROOT
from package_runs import TINY, lines, run, weights
from test_text import SMALL, words
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.data.tokenizers import SubwordTokenizer, WordTokenizer
from xlm_spec.runtime.loading.data_module import Stream
from xlm_spec.runtime.tasks.corpus import read_data_set, read_file

pytestmark = pytest.mark.slow
TEXT = "the cat sat on the mat"


def of_words(**options) -> Tokenizer:
    """A tokenizer of the words of TEXT."""
    vocab = {w: i for i, w in enumerate(sorted(set(TEXT.split())))}
    found = Tokenizer(models.WordLevel(vocab, **options))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    return found


def subwords(tokenizer: Tokenizer, **changes) -> SubwordTokenizer:
    return SubwordTokenizer(json.dumps(json.loads(tokenizer.to_str()) | changes))


def test_a_tokenizer_does_not_truncate_or_pad(capsys):
    whole = subwords(of_words()).encode(TEXT)
    for setting in ("truncation", "padding"):
        odd = of_words()
        odd.enable_truncation(3) if setting == "truncation" else odd.enable_padding(length=9)
        assert odd.encode(TEXT).ids != whole  # the control: the file does ask for it
        found = subwords(odd)
        assert found.encode(TEXT) == whole
        assert found.note == f"sets {setting}, which xlm-spec disables"


def test_merge_dropout_is_disabled():
    """BPE dropout draws other tokens at each call."""
    vocab = {c: i for i, c in enumerate([*sorted(set(TEXT)), "th", "the"])}
    odd = Tokenizer(models.BPE(vocab, [("t", "h"), ("th", "e")], dropout=0.5))
    found = subwords(odd)
    assert len({tuple(found.encode(TEXT)) for _ in range(20)}) == 1
    assert "merge dropout" in found.note


def test_a_normalizer_is_reported():
    odd = of_words()
    odd.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase()])
    assert "normalizes texts (NFD, Lowercase)" in subwords(odd).note


def test_skipped_ids():
    found = SubwordTokenizer(
        Tokenizer(models.WordLevel({"the": 0, "cat": 7}, unk_token="the")).to_str()
    )
    assert found.size == 8


@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_words_that_a_tokenizer_does_not_know(kind):
    """Refused where it would be left out; counted where a token stands for it."""
    if kind == "words":
        odd = of_words(unk_token="[UNK]")
    else:
        odd = Tokenizer(models.BPE({"c": 0, "a": 1, "t": 2}, []))
    with pytest.raises(Failed) as failed:
        subwords(odd).encode("cat x cat")
    assert failed.value.diagnostics[0].code == "X502"
    known = Tokenizer(models.WordLevel({"cat": 0, "[UNK]": 1}, unk_token="[UNK]"))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    assert subwords(known).unknown == 1
    assert subwords(known).encode("cat x cat") == [0, 1, 0]


def test_unknown_words_are_counted(tmp_path):
    known = Tokenizer(models.WordLevel({"the": 0, "[UNK]": 1}, unk_token="[UNK]"))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(tmp_path / "t.json"))
    (tmp_path / "text").write_text("the cat " * 2000)
    sets = [f"data.file={tmp_path / 'text'}", f"data.tokenizer={tmp_path / 't.json'}"]
    sets = [w for s in sets for w in ("--set", s)]
    done = run("arlm", "train", *SMALL, *sets, "--steps", 1, "--run", tmp_path / "run")
    assert "(50.00%) of split `train` are unknown to the tokenizer" in done.stderr


def test_a_byte_order_mark_is_removed(tmp_path):
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / encoding).write_text(TEXT, encoding=encoding)
        assert read_file(str(tmp_path / encoding)) == TEXT
    task = ROOT / "tests" / "tiny_task.py"
    (tmp_path / "task.py").write_text("\ufeff" + task.read_text(), encoding="utf-8")
    run("mdlm", "info", "--task", tmp_path / "task.py")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (['{"text": "a"}', '{"text": null}'], "train.jsonl`: column `text` is empty (null)"),
        (['{"text": ["a", "b"]}'], 'column `text` is not a string but `["a", "b"]`'),
        (['{"text": 3}'], "is not a string but `3`"),
        (['{"text": "a"}', '{"text": '], "JSON"),
    ],
    ids=["null", "lists", "numbers", "broken"],
)
def test_rows_without_text(rows, message, tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.jsonl").write_text("\n".join(rows))
    with pytest.raises(Failed) as failed:
        read_data_set(str(tmp_path / "set"), "", "text")
    [d] = failed.value.diagnostics
    assert d.code == "X506"
    assert message in d.message


def test_a_duplicate_word():
    with pytest.raises(Failed) as failed:
        WordTokenizer(("a", "b", "a"))
    assert failed.value.diagnostics[0].code == "X505"


def test_a_word_of_underscores_in_the_vocabulary_is_no_blank():
    assert WordTokenizer(("a", "__")).pattern("a __ ___ _") == [0, 1, None, None]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_loading_processes_share_the_batches(accumulate, trained, place):
    """Any number of them yields what none does, in the same order."""
    sets = ["--set", f"train.accumulate={accumulate}", "--steps", 8]
    folders = [place / f"workers-{accumulate}-{n}" for n in (0, 2)]
    for n, folder in zip((0, 2), folders, strict=True):
        run("mdlm", "train", *TINY, *sets, "--set", f"data.workers={n}", "--run", folder)
    assert lines(folders[0]) == lines(folders[1])
    assert weights(folders[0]) == weights(folders[1])


def test_the_order_of_rows_is_drawn_once_per_epoch(monkeypatch):
    """And a batch that reaches into the next epoch is made of both."""
    from types import SimpleNamespace

    from xlm_spec.runtime.config.settings import Train
    from xlm_spec.runtime.loading import data_module

    data_module.shuffled.cache_clear()
    stream = Stream(range(10), SimpleNamespace(train=Train(batch=4)), 0, 0, 1)
    seen = torch.cat([stream.rows(step) for step in range(5)])
    assert sorted(seen[:10].tolist()) == sorted(seen[10:].tolist()) == list(range(10))
    assert data_module.shuffled.cache_info().misses == 2


def test_a_run_resumes_only_with_its_own_data(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(words(2000))
    sets = ["--set", f"data.file={text}", "--set", "train.evaluate_every=2"]
    folder = tmp_path / "run"
    run("arlm", "train", *SMALL, *sets, "--steps", 4, "--run", folder)
    (folder / "config.yaml").write_text(
        (folder / "config.yaml").read_text().replace("steps: 4", "steps: 6")
    )
    text.write_text(" ".join(sorted(words(2000).split(" "))))  # the same characters
    done = run("arlm", "train", "--run", folder, "--resume", check=False)
    assert "error[X614]: the data have changed since this run began" in done.stderr
    warning = "the data of split `test` have changed since training"
    assert warning in run("arlm", "eval", "--run", folder).stderr
    text.write_text(words(2000))
    assert warning not in run("arlm", "eval", "--run", folder).stderr  # the control
    run("arlm", "train", "--run", folder, "--resume")
