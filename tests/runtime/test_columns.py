"""The task `pairs`: two columns of any data set."""

import json

import pytest
import yaml
from package_runs import run
from pair_tables import SUMS, pairs, texts_of, written
from tokenizers import Tokenizer, models, pre_tokenizers

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.data.tokenizers import CharacterTokenizer, WordTokenizer
from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.text import Options as TextOptions


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    return written(tmp_path_factory.mktemp("sums") / "sums.jsonl", SUMS)


SMALL = [
    *("--task", "pairs", "--size", "cpu", "--set", "backbone.width=32"),
    *("--set", "backbone.layers=1", "--set", "train.sample_examples=2"),
]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet"])
def test_every_row_is_in_one_split(suffix, tmp_path):
    task = pairs(written(tmp_path / f"sums{suffix}", [*SUMS, ("007 + NA", "1e3")]))
    found = [x for split in ("train", "val", "test") for x in texts_of(task, split)]
    assert sorted(found) == sorted([*SUMS, ("007 + NA", "1e3")])  # as it is written, in CSV too
    assert task.longest_prompt == 3
    assert task.longest_answer == 1


def test_rows_with_the_same_prompt_are_in_one_split(tmp_path):
    task = pairs(written(tmp_path / "twice.jsonl", SUMS * 2))
    prompts = [{p for p, _ in texts_of(task, split)} for split in ("train", "val", "test")]
    assert len(set.union(*prompts)) == sum(map(len, prompts)) == len(SUMS)
    assert len(task.rows("train").prompt) > 2 * 0.8 * len(SUMS)


def test_the_splits_of_a_data_set_are_kept(tmp_path):
    parts = {"train": SUMS[:200], "validation": SUMS[200:210], "test": SUMS[210:]}
    for split, some in parts.items():
        written(tmp_path / f"{split}.jsonl", some)
    task = pairs("", hub=str(tmp_path))
    assert texts_of(task, "train") == SUMS[:200]
    assert texts_of(task, "val") == SUMS[200:210]
    assert texts_of(task, "test") == SUMS[210:]
    files = {k: str(tmp_path / f"{f}.jsonl") for k, f in (("val_file", "test"),)}
    assert texts_of(pairs(tmp_path / "train.jsonl", **files), "val") == SUMS[210:]


def test_several_files_are_one_table(tmp_path):
    written(tmp_path / "part-0.jsonl", SUMS[:100])
    written(tmp_path / "part-1.jsonl", SUMS[100:])
    task = pairs(tmp_path / "part-*.jsonl")
    assert sum(len(task.rows(s).prompt) for s in ("train", "val", "test")) == len(SUMS)


def test_tokens_are_words_characters_or_subwords(sums, tmp_path):
    assert isinstance(pairs(sums).tokenizer, WordTokenizer)
    assert set(pairs(sums).tokenizer.words) == {w for q, a in SUMS for w in f"{q} {a}".split()}
    task = pairs(sums, tokens="characters")
    assert isinstance(task.tokenizer, CharacterTokenizer)
    assert task.tokenizer.alphabet == " +0123456789"
    assert task.longest_prompt == 7
    known = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*map(str, range(33)), "+"])}))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(tmp_path / "t.json"))
    assert pairs(sums, tokenizer=str(tmp_path / "t.json")).tokenizer.size == 34


def test_sequences_without_prompts(sums):
    task = pairs(sums, prompt="")
    assert task.longest_prompt == 0
    assert {p for p, _ in texts_of(task, "train")} == {""}


def test_long_rows_are_an_error_or_left_out(tmp_path, capsys):
    file = written(tmp_path / "long.jsonl", [*SUMS, ("1 + 2 + 3 + 4", "10")])
    limits = {"longest_prompt": 3, "longest_answer": 1}
    with pytest.raises(Failed, match=r"prompt of 7 tokens; data\.longest_prompt is 3"):
        [pairs(file, **limits).rows(s) for s in ("train", "val", "test")]
    task = pairs(file, **limits, long="drop")
    found = [x for split in ("train", "val", "test") for x in texts_of(task, split)]
    assert sorted(found) == sorted(SUMS)
    assert "1 rows of split" in capsys.readouterr().err
    assert pairs(file).longest_prompt == 7  # measured


WRONG = [
    (["data.answer=b"], "has no column `b`", "data.answer: allowed: q, a, n"),
    (["data.prompt=question"], "has no column `question`", ""),
    (["data.file=nowhere.jsonl"], "No such file", ""),
    (["data.file=table.xlsx"], "is not a table", ".jsonl, .json, .csv"),
    (["data.hub=x"], "requires either a file or a data set", ""),
    (["data.answer=n"], "sums.jsonl`: column `n` is not a string but `0`", "choose another column"),
    (["data.longest_answer=1", "data.tokens=characters", "data.longest_prompt=9"],
     "has an answer of 2 tokens", "data.long=drop"),
    (["data.streaming=true"], "a stream requires data.longest_prompt", ""),
    (["data.val_file=other.csv"], "different formats", ""),
]  # fmt: skip


@pytest.mark.parametrize(("sets", "message", "hint"), WRONG, ids=[w[1] for w in WRONG])
def test_a_wrong_table_gives_one_diagnostic(sets, message, hint, sums, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "other.csv", SUMS)
    given = [f"data.file={sums}", "data.prompt=q", "data.answer=a", *sets]
    words = [w for s in given for w in ("--set", s)]
    done = run("mdlm", "train", *SMALL, *words, "--run", tmp_path / "run", check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == done.stderr.count("error[X506]") == 1
    assert message in done.stderr
    assert hint in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_on_pairs(sums, tmp_path):
    """Trained, evaluated; the checkpoint needs no data to continue a prompt."""
    copy, folder = tmp_path / "copy.jsonl", tmp_path / "run"
    copy.write_text(sums.read_text())
    sets = [f"data.file={copy}", "data.prompt=q", "data.answer=a", "train.evaluate_every=4"]
    sets += ["data.tokens=characters", "data.bucket=4"]
    words = [w for s in sets for w in ("--set", s)]
    run("arlm", "train", *SMALL, *words, "--steps", 4, "--run", folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())["data"]
    assert (config["longest_prompt"], config["longest_answer"]) == (7, 2)
    found = json.loads(run("arlm", "eval", "--run", folder, "--json").stdout)
    assert found["examples"] == len(pairs(sums).rows("test").prompt)
    assert 0 <= found["sequence_accuracy"] <= 1
    copy.unlink()
    words = ["generate", "--run", folder, "--json", "--prompt"]
    assert json.loads(run("arlm", *words, "3 + 4").stdout)["prompt"] == "3 + 4"
    assert "error[X502]" in run("arlm", *words, "x", check=False).stderr


def test_files_replace_splits_of_a_data_set(tmp_path):
    (tmp_path / "set").mkdir()
    for split, some in {"train": SUMS[:200], "validation": SUMS[200:210]}.items():
        written(tmp_path / "set" / f"{split}.jsonl", some)
    own = written(tmp_path / "own.jsonl", SUMS[210:230])
    known = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*map(str, range(33)), "+"])}))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    known.save(str(tmp_path / "t.json"))
    streamed = {"streaming": True, "longest_prompt": 3, "longest_answer": 1}
    streamed |= {"tokenizer": str(tmp_path / "t.json")}
    for more in ({}, streamed):
        task = pairs("", hub=str(tmp_path / "set"), val_file=str(own), **more)
        assert texts_of(task, "val") == SUMS[210:230]
    for more in ({}, {k: v for k, v in streamed.items() if "longest" not in k}):
        options = TextOptions(hub=str(tmp_path / "set"), column="q", val_file=str(own), **more)
        lines = find("text").with_options(options).texts["val"].splitlines()
        assert lines == [q for q, _ in SUMS[210:230]]


@pytest.mark.parametrize("kind", ["words", "subwords"])
def test_prompts_of_the_same_tokens_are_in_one_split(kind, tmp_path):
    twice = [(f"{space}{q} ", a) for q, a in SUMS for space in ("", " ")]
    options = {}
    if kind == "subwords":
        words = sorted({w for q, a in SUMS for w in f"{q} {a}".split()})
        known = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}))
        known.pre_tokenizer = pre_tokenizers.Whitespace()
        known.save(str(tmp_path / "t.json"))
        options = {"tokenizer": str(tmp_path / "t.json")}
    task = pairs(written(tmp_path / "twice.jsonl", twice), **options)
    prompts = [{p for p, _ in texts_of(task, split)} for split in ("train", "val", "test")]
    assert len(set.union(*prompts)) == sum(map(len, prompts)) == len(SUMS)
