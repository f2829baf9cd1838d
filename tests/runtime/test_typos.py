"""Typing errors: the task, its metrics, and a model that edits them, from training to samples."""

import json
from collections import Counter
from random import Random

import pytest
import torch
from package_runs import run

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.data.metrics import edit_distance, error_rate, input_error_rate
from xlm_spec.runtime.data.rows import padded_rows
from xlm_spec.runtime.tasks import find
from xlm_spec.runtime.tasks.typos import Options, with_errors


def texts(task, split: str) -> list[tuple[str, str]]:
    rows, decode = task.rows(split), task.tokenizer.decode
    prompts = zip(rows.prompt.tolist(), rows.prompt_length.tolist(), strict=True)
    answers = zip(rows.answer.tolist(), rows.answer_length.tolist(), strict=True)
    return [(decode(p[:n]), decode(a[:k])) for (p, n), (a, k) in zip(prompts, answers, strict=True)]


def test_sentences_are_in_one_split_and_fit():
    task = find("typos")
    val, test = (texts(task, split) for split in ("val", "test"))
    assert len(val) == len(test) == 1000
    assert not {a for _, a in val} & {a for _, a in test}
    assert max(len(t) for pair in val for t in pair) <= task.longest_answer
    assert val == texts(find("typos"), "val")
    rows = task.rows("val")
    rate, weight = input_error_rate(rows.truths, rows)
    assert 0.08 < float((rate * weight).sum() / weight.sum()) < 0.11


def test_lines_of_a_file(tmp_path):
    every = [f"line {i}: Ünïcode, and more" for i in range(200)]
    written = [*every, "", "x" * 99]
    (tmp_path / "lines.txt").write_text("\n".join(written), encoding="utf-8")
    task = find("typos").with_options(Options(file=str(tmp_path / "lines.txt"), errors=0.3))
    found = {split: [a for _, a in texts(task, split)] for split in ("train", "val", "test")}
    assert Counter(line for lines in found.values() for line in lines) == Counter(every)
    assert len(found["train"]) > 150
    pairs = texts(task, "train")
    assert sum(p != a for p, a in pairs) > 100
    stored = find("typos").with_options(task.options, task.tokenizer)
    assert stored.tokenizer is task.tokenizer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"longest": 9}, "the sentences of the grammar have up to"),
        ({"file": "short.txt"}, "split `val` has no lines"),
        ({"file": "none.txt"}, "cannot read the text: No such file"),
    ],
)
def test_data_that_cannot_be_used(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.txt").write_text("one line\n")
    task = find("typos").with_options(Options(**options))
    with pytest.raises(Failed) as failed:
        task.rows("val")
    assert failed.value.diagnostics[0].code == "X506"
    assert message in failed.value.diagnostics[0].message


def test_every_kind_of_error():
    made = {with_errors("abc", Options(errors=0.4), Random(i)) for i in range(500)}
    assert {"abc", "bac", "acb", "bc", "aabc", "abcc"} <= made
    assert any(m[0] not in "abc" for m in made if len(m) == 3)
    assert with_errors("a b", Options(errors=0.0), Random(0)) == "a b"
    assert len(with_errors("a" * 40, Options(errors=1.0), Random(0))) <= 32


def test_edit_distances():
    pairs = [([], []), ([1], []), ([], [1, 2]), ([1, 2, 3], [2, 3, 1]), ([1, 2], [2, 1])]
    pairs += [([1, 2, 3, 4], [1, 9, 3, 4, 5]), ([7, 7, 7], [7])]
    rows = padded_rows(*([p[i] for p in pairs] for i in (0, 1)))
    prompt = torch.where(torch.arange(4) < rows.prompt_length[:, None], rows.prompt, -1)
    assert edit_distance(prompt, rows.truths).tolist() == [0, 1, 2, 2, 2, 2, 2]
    rate, weight = error_rate(prompt, rows)
    assert rate.tolist() == [0, 1, 1, 2 / 3, 1, 0.4, 2]
    assert weight.tolist() == [0, 0, 2, 3, 2, 5, 1]
    assert torch.equal(input_error_rate(rows.truths, rows)[0], rate)
    assert not error_rate(rows.truths, rows)[0].any()


@pytest.mark.slow
def test_a_model_edits_a_copy_of_the_prompt(tmp_path):
    """It has hardly been trained; the first state is the prompt, and metrics are reported."""
    few = ["--set", "train.batch=4", "--set", "train.evaluate_examples=4", "--set", "train.steps=2"]
    small = ["--set", "backbone.layers=1", "--set", "backbone.width=16"]
    name, folder = "editflows_pairs", tmp_path / "run"
    done = run(name, "train", "--size", "cpu", "--run", folder, *few, *small)
    assert "val/input_error_rate" in done.stderr
    words = ["--prompt", "the yuong farmer", "--seed", "3", "--html", tmp_path / "page.html"]
    done = run(name, "generate", "--run", folder, *words, "--json")
    record = json.loads(done.stdout.splitlines()[0])
    assert record["prompt"] == "the yuong farmer"
    page = (tmp_path / "page.html").read_text()
    assert "the" in page
