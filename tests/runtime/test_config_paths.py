"""Paths in a config that a user writes, and where values come from."""

import json

import pytest
import yaml
from package_runs import package_of, run

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.config_file import read_config
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.main import print_origins

DATA = {"task": "star_easy", "fill": "eos"}
TASK = """
from xlm_spec.runtime.tasks.pairs import Pairs
from xlm_spec.runtime.data.tokenizers import WordTokenizer

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


WRONG = [
    ("train: {bach: 3}", "X601", (1, 9, "bach")),
    ("train:\n  steps: 3\n  lr: fast", "X602", (3, 7, "fast")),
    ("train:\n  predictions: [{kind: fil}]", "X602", (2, 16, "[{kind: fil}]")),
    ("backbone.kind: dit", "X603", (1, 16, "dit")),
    ("backbone.layers: -1", "X602", (1, 18, "-1")),
    ("task: nothing", "X501", (1, 7, "nothing")),
    ("data: {task: nothing}", "X501", (1, 14, "nothing")),
    ("size: huge", "X605", (1, 7, "huge")),
]


@pytest.mark.parametrize(("text", "code", "place"), WRONG, ids=[w[0] for w in WRONG])
def test_a_mistake_in_a_config_is_told_at_its_line(text, code, place, folder):
    (folder / "c.yaml").write_text(text)
    config = read_config(folder / "c.yaml")
    with pytest.raises(Failed) as e:
        resolve_config(package_of("mdlm"), DATA, {}, config=config, folder=folder)
    [found] = e.value.diagnostics
    assert (found.code, found.file) == (code, str(folder / "c.yaml"))
    line, column, word = place
    assert (found.span.line + 1, found.span.column + 1) == (line, column)
    marked = text.splitlines()[found.span.line][found.span.column : found.span.end_column]
    assert marked == word


def test_all_mistakes_of_a_config_are_told(folder):
    with pytest.raises(Failed) as e:
        resolved(folder, "train:\n  lr: fast\n  bach: 3")
    assert [(d.code, d.span.line) for d in e.value.diagnostics] == [("X602", 1), ("X601", 2)]


def test_a_config_that_is_not_yaml_is_told_at_its_line(folder):
    (folder / "c.yaml").write_text("train: {lr: 1}\ntask: [")
    with pytest.raises(Failed) as e:
        read_config(folder / "c.yaml")
    [found] = e.value.diagnostics
    assert (found.code, found.file, found.span.line) == ("X606", str(folder / "c.yaml"), 1)


def test_a_mistake_of_a_flag_has_no_file(folder):
    with pytest.raises(Failed) as e:
        resolved(folder, "train: {lr: 1}", "train.bach=3")
    [found] = e.value.diagnostics
    assert (found.code, found.file) == ("X601", "")


def test_a_config_of_another_package_names_it(folder):
    with pytest.raises(Failed) as e:
        resolved(folder, "package: flexmdm\nnoise: {drop_schedule: {eps: 0.0}}")
    [found] = e.value.diagnostics
    assert found.code == "X601"
    assert "the config is of package `flexmdm`, not of `mdlm`" in found.message
    assert "noise.drop_schedule.eps" in found.message
    assert found.span.line == 1
    assert resolved(folder, "package: flexmdm\ntrain: {lr: 1e-2}").train.lr == 0.01


def test_a_resumed_run_prints_what_differs_from_a_new_one(folder, capsys):
    """Not the settings that a run records and a new run of the task and size has too."""
    given = package_of("mdlm"), DATA, {"ema": 0.5}, "star_mini", "cpu"
    first = resolve_config(*given, sets=["train.lr=0.25", "train.predictions=none"])
    (folder / "config.yaml").write_text(yaml.safe_dump(first.as_dict()))
    capsys.readouterr()
    for of_run, told in (True, "run"), (False, "--config"):
        config = read_config(folder / "config.yaml", of_run)
        again = resolve_config(*given[:3], config=config, sets=["train.steps=9"])
        assert again.settings == first.settings | {"train.steps": 9}
        found = {k for k, v in again.origin.items() if v == told}
        assert again.origin["train.steps"] == "--set"
        if of_run:
            assert found == {"train.lr", "train.predictions"}
            print_origins(again, folder)
            assert "  run: train.lr=0.25  train.predictions=none\n" in capsys.readouterr().err
            assert "--config" not in again.origin.values()
        else:
            assert len(found) > 20
