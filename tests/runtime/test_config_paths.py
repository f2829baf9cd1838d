"""Paths in a config that a user writes, and where values come from."""

import json

import pytest
from package_runs import package_of, run

from xlm_spec.runtime.config.resolve_config import read_config, resolve_config

DATA = {"task": "star_easy", "fill": "eos"}
TASK = """
from xlm_spec.runtime.tasks.pairs import Pairs
from xlm_spec.runtime.data.words import WordTokenizer

TASK = Pairs("mine", WordTokenizer(("a",)), lambda rng: ("a", "a"), 1, 1)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "configs").mkdir()
    rows = [json.dumps({"prompt": f"{i}", "answer": f"{i % 3}"}) for i in range(60)]
    (tmp_path / "configs" / "data.jsonl").write_text("\n".join(rows))
    (tmp_path / "configs" / "mine.py").write_text(TASK)
    return tmp_path / "configs"


def resolved(folder, text, *sets):
    (folder / "c.yaml").write_text(text)
    config = read_config(folder / "c.yaml")
    return resolve_config(package_of("mdlm"), DATA, {}, None, "cpu", config, sets, folder=folder)


@pytest.mark.parametrize(
    "text",
    ["data: {task: pairs, file: data.jsonl}", "task: pairs\ndata: {file: ./data.jsonl}"],
)
def test_the_data_of_a_config_are_relative_to_it(text, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.jsonl").write_text("not these")
    found = resolved(folder, text)
    assert found.task.name == "pairs"
    assert found.settings["data.file"] == str(folder / "data.jsonl")
    assert found.origin["data.file"] == "--config"
    again = resolved(folder, text, f"data.file={folder / 'data.jsonl'}", "data.long=drop")
    assert again.settings["data.file"] == str(folder / "data.jsonl")


@pytest.mark.parametrize("text", ["task: ./mine.py", "data: {task: ./mine.py}"])
def test_the_task_of_a_config_is_relative_to_it(text, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolved(folder, text).data.task == str(folder / "mine.py")


def test_weights_and_teachers_of_a_config_are_relative_to_it(folder):
    found = resolved(folder, "init: a.ckpt\nteacher: ../t")
    assert (found.init, found.teacher_file) == (
        str(folder / "a.ckpt"),
        str(folder.parent / "t"),
    )
    assert resolved(folder, "init: hf:a/b").init == "hf:a/b"


def test_what_the_compiler_infers_is_no_choice_of_the_spec(folder):
    assert resolved(folder, "{}").origin["data.fill"] == "method"
    assert resolved(folder, "{}", "data.fill=none").origin["data.fill"] == "--set"
    out = run("mdlm", "info", "--task", "star_mini", "--size", "cpu", "--where").stdout
    line = next(x for x in out.splitlines() if x.startswith("data.fill"))
    assert line.split() == ["data.fill", "eos", "method"]
