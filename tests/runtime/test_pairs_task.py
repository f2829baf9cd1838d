"""Tasks of pairs in a file: without prompts, and with fixed splits. Validation of some examples."""

import json

import pytest
from package_runs import TINY, run

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.tasks.pairs import Pairs

DIGITS = WordTokenizer(tuple("0123456789"))
SMALL = {"test": 20, "val": 20, "train": 100}
FIXED = {
    "train": [("1 2", "2 1"), ("3 4", "4 3")],
    "val": [("5", "5")],
    "test": [("1 2", "2 1")],
}


def texts(task, split):
    rows = task.rows(split)
    columns = ((rows.prompt, rows.prompt_length), (rows.answer, rows.answer_length))
    found = [[DIGITS.decode(t[:n]) for t, n in zip(a.tolist(), b, strict=True)] for a, b in columns]
    return [*zip(*found, strict=True)]


def sequence(rng):
    return " ".join(str(rng.randrange(10)) for _ in range(rng.randint(3, 6)))


def test_sequences_without_prompts():
    task = Pairs("free", DIGITS, sequence, longest_answer=6, splits=SMALL)
    parts = {split: texts(task, split) for split in SMALL}
    assert {k: len(v) for k, v in parts.items()} == SMALL
    assert {p for part in parts.values() for p, _ in part} == {""}
    sets = [{a for _, a in part} for part in parts.values()]
    assert not sets[0] & sets[1] | sets[0] & sets[2] | sets[1] & sets[2]
    assert [*task.metrics] == ["entropy"]


def test_fixed_splits():
    task = Pairs("fixed", DIGITS, longest_prompt=2, longest_answer=2, splits=FIXED)
    assert {split: texts(task, split) for split in FIXED} == FIXED
    assert [*task.metrics] == ["sequence_accuracy", "token_accuracy"]
    free = {"train": ["1 2", "3"], "val": ["4"], "test": ["5 6"]}
    found = Pairs("fixed", DIGITS, longest_answer=2, splits=free)
    assert texts(found, "train") == [("", "1 2"), ("", "3")]


def test_drawn_prompts_are_in_no_fixed_split():
    def draw(rng):
        return str(rng.randrange(10)), "1"

    given = {"val": [("3", "1")], "test": [("4", "1")], "train": 200}
    task = Pairs("mixed", DIGITS, draw, 1, 1, splits=given)
    assert {p for p, _ in texts(task, "train")} == set("01256789")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "has no `draw`, and a split that is a number"),
        ({"splits": {**FIXED, "val": []}}, "split `val` of task `t` is empty"),
        ({"splits": {**FIXED, "val": [("1", "2", "3")]}}, "not a pair of texts"),
        ({"splits": {**FIXED, "val": [("1 2 3", "2")]}}, "a prompt of 3 words"),
    ],
)
def test_wrong_examples_are_one_diagnostic(more, message):
    task = Pairs("t", DIGITS, longest_prompt=2, longest_answer=2, **more)
    with pytest.raises(Failed, match=message) as e:
        task.rows("val")
    assert e.value.diagnostics[0].code == "X505"


@pytest.mark.slow
def test_an_unconditional_task_in_a_run(tmp_path):
    (tmp_path / "free.py").write_text(
        "from xlm_spec.runtime.tasks.pairs import Pairs\n"
        "from xlm_spec.runtime.data.tokenizers import WordTokenizer\n"
        "def draw(rng):\n    return ' '.join(rng.choice('0123') for _ in range(5))\n"
        "TASK = Pairs('free', WordTokenizer(tuple('0123')), draw, longest_answer=5,\n"
        "             splits={'test': 30, 'val': 30, 'train': 60})\n"
    )
    sets = ["--set", "train.evaluate_every=4", "--set", "train.evaluate_examples=7"]
    words = ["--task", tmp_path / "free.py", *TINY[2:], *sets, "--steps", 4]
    run("mdlm", "train", *words, "--run", tmp_path / "run")
    file = tmp_path / "run" / "predictions" / "val-0000004-0.jsonl"
    assert len(file.read_text().splitlines()) == 7
    out = run("mdlm", "generate", "--run", tmp_path / "run", "-n", 50, "--json").stdout
    assert len(out.splitlines()) == 50  # more than the test split has
    found = json.loads(run("mdlm", "eval", "--run", tmp_path / "run", "--json").stdout)
    assert found["entropy"] > 0
    assert found["examples"] == 30
