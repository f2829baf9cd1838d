"""Managers of data sets, and named loaders for the stages of a run."""

import importlib
import json

import pytest
import torch
from methods import PLAIN, package
from package_runs import TINY, lines, package_of, run, weights

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.loading.managers import Loaders

MANAGER = '''
"""The first rows of each split."""

from xlm_spec.runtime.loading.managers import DatasetManager


class First(DatasetManager):
    def __init__(self, task, n: int = 7):
        super().__init__(task)
        self.n, self.reads = n, []

    def read(self, split):
        self.reads.append(split)
        return super().read(split).take(slice(0, self.n))


class Other:
    def __init__(self, task):
        pass
'''
HARD = {"kind": "task", "name": "other", "split": "test", "limit": 30}


@pytest.fixture
def file(tmp_path):
    found = tmp_path / "mine.py"
    found.write_text(MANAGER)
    return found


def resolved(*sets, spec=None, **more):
    return resolve_config(package_of("arlm"), {"task": "star_mini"} | (spec or {}), {}, sets=sets)


def of(*entries):
    return f"data.loaders={json.dumps(entries)}"


def test_each_stage_has_its_loaders():
    train = {**HARD, "name": "train_part", "split": "train", "stages": "val"}
    loaders = Loaders(resolved(of(HARD, train)))
    names = {s: [x.name for x in loaders.of(s)] for s in ("train", "val", "test", "predict")}
    assert names == {
        "train": [""],
        "val": ["", "other", "train_part"],
        "test": ["", "other"],
        "predict": [""],
    }
    own, other, part = loaders.of("val")
    task = loaders.run.task
    assert torch.equal(own.rows("val").prompt, task.rows("val").prompt)
    assert torch.equal(other.rows("val").prompt, task.rows("test").prompt[:30])
    assert torch.equal(part.rows("val").answer, task.rows("train").answer[:30])


def test_a_data_set_is_in_memory_once(file):
    """One manager serves the loaders of the same data set, with the same code and options."""
    mine = {"kind": f"{file}:First", "name": "a", "n": 5}
    again = {**mine, "name": "b", "stages": ["val", "train"]}
    larger = {**mine, "name": "c", "n": 6}
    loaders = Loaders(resolved(of({**HARD, "name": "x"}, mine, again, larger)))
    x, a, b, c = (loader.manager for loader in loaders.others)
    assert x is loaders.own.manager
    assert a is b
    assert a is not c
    for loader in loaders.of("val"):
        loaders.rows(loader, "val")
        loaders.rows(loader, "val")
    assert a.reads == ["val"]
    assert len(loaders.rows(loaders.others[1], "val").prompt) == 5


def test_the_manager_of_the_run_can_be_replaced(file):
    loaders = Loaders(resolved(f"data.manager={file}:First", "data.manager.n=9"))
    assert len(loaders.own.rows("train").prompt) == 9
    assert resolved(f"data.manager={file}:First").injected[f"{file}:First"].startswith("sha256")


def test_loaders_of_training_are_joined(file):
    more = {"kind": f"{file}:First", "name": "more", "stages": ["train"]}
    loaders = Loaders(resolved(of(more)))
    own = loaders.run.task.rows("train")
    found = loaders.training()
    assert len(found.prompt) == len(own.prompt) + 7
    assert torch.equal(found.prompt[-7:], own.prompt[:7])


def test_another_data_set_in_the_tokens_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, numbers in (("a", range(40)), ("b", range(40, 50)), ("c", range(99, 101))):
        some = [json.dumps({"prompt": str(n % 10), "answer": str(n % 10)}) for n in numbers]
        some += [json.dumps({"prompt": "x", "answer": "1 2 3"})] if name == "c" else []
        (tmp_path / f"{name}.jsonl").write_text("\n".join(some))
    spec = {"task": "pairs", "file": "a.jsonl", "val_file": "a.jsonl", "test_file": "a.jsonl"}

    def loaders(name):
        changed = {"file": str(tmp_path / f"{name}.jsonl"), "val_file": "", "test_file": ""}
        entry = {"kind": "task", "name": name, "split": "train", "options": changed}
        sets = [f"data.{k}={tmp_path / v}" for k, v in spec.items() if k != "task"]
        run = resolve_config(package_of("arlm"), {"task": "pairs"}, {}, sets=[*sets, of(entry)])
        return Loaders(run)

    found = loaders("b")
    rows = found.rows(found.others[0], "val")
    assert 0 < len(rows.prompt) <= 10
    wrong = loaders("c")
    with pytest.raises(Failed, match="`x` is not in the vocabulary"):
        wrong.rows(wrong.others[0], "val")


def test_loaders_of_a_spec(tmp_path):
    """Their paths are relative to its folder."""
    (tmp_path / "mine.py").write_text(MANAGER)
    for name, n in (("a", 30), ("b", 5)):
        some = [json.dumps({"prompt": str(i % 5), "answer": str(i)}) for i in range(n)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(some))
    small = "{kind: ./mine.py:First, name: small, n: 3, stages: [val, test]}"
    other = "{kind: task, name: b, split: train, options: {file: ./b.jsonl, val_file: ./b.jsonl, "
    other += "test_file: ./b.jsonl}}"
    files = "file: a.jsonl, val_file: a.jsonl, test_file: a.jsonl"
    data = f"{{task: pairs, {files}, loaders: [{small}, {other}]}}"
    package_ = package(tmp_path, PLAIN, data=data)
    main = importlib.import_module(f"{package_.__name__}.__main__")
    loaders = Loaders(resolve_config(package_, main.DATA, main.TRAIN))
    assert [x.name for x in loaders.of("val")] == ["", "small", "b"]
    assert [len(loaders.rows(x, "val").prompt) for x in loaders.of("val")] == [30, 3, 5]


def test_paths_of_a_loader_are_relative_to_where_it_stands(tmp_path, monkeypatch):
    """To the spec, to the config, or to the current folder; with or without ./ at the beginning."""
    (tmp_path / "here" / "set").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    record = json.dumps({"prompt": "1", "answer": "1"}) + "\n"
    (tmp_path / "a.jsonl").write_text(record)
    files = "file: a.jsonl, val_file: a.jsonl, test_file: a.jsonl"
    own = f"{{kind: task, name: b, options: {{{files.replace('a.jsonl', 'sub/b.jsonl')}}}}}"
    data = f"{{task: pairs, {files}, loaders: [{own}]}}"
    package_ = package(tmp_path, PLAIN, data=data)
    main = importlib.import_module(f"{package_.__name__}.__main__")

    def options(**more):
        found = resolve_config(package_, main.DATA, main.TRAIN, **more)
        return found.data.loaders[0]["options"]

    assert options()["file"] == str(tmp_path / "sub" / "b.jsonl")
    hub = "data.loaders=[{kind: task, name: b, options: {hub: NAME, val_file: ../x.jsonl}}]"
    here = {"hub": str(tmp_path / "here" / "set"), "val_file": str(tmp_path / "x.jsonl")}
    assert options(sets=[hub.replace("NAME", "set")]) == here
    assert options(sets=[hub.replace("NAME", "user/name")])["hub"] == "user/name"
    entry = {"kind": "task", "name": "c", "task": "text", "options": {"file": "c.txt", "block": 4}}
    given = {"data": {"loaders": [entry]}}
    found = options(config=given, folder=tmp_path / "there")
    assert found == {"file": str(tmp_path / "there" / "c.txt"), "block": 4}


WRONG = [
    ([{"kind": "task"}], "requires a name"),
    ([{**HARD, "name": "a/b"}], "requires a name of letters"),
    ([HARD, HARD], "two loaders have the name `other`"),
    ([{**HARD, "stages": ["vall"]}], "has no stage `vall`"),
    ([{**HARD, "split": "dev"}], "has no split `dev`"),
    ([{**HARD, "limit": -1}], "is not a number of rows"),
    ([{**HARD, "task": "star_easy"}], "another vocabulary"),
    ([{**HARD, "task": "star_eas"}], "unknown task"),
    ([{**HARD, "options": {"formt": "edges"}}], "did you mean `data.format`?"),
    ([{**HARD, "options": {"format": "edges"}}], "tokens; the task allows at most"),
    ([{**HARD, "n": 3}], "has no option `n`"),
    ([{**HARD, "kind": "FILE:Other"}], "is not a DatasetManager"),
    ([{**HARD, "kind": "FILE:None"}], "has no class or function `None`"),
]


@pytest.mark.parametrize(("entries", "message"), WRONG, ids=[w[1] for w in WRONG])
def test_a_wrong_loader_is_one_diagnostic(entries, message, file, tmp_path):
    given = of(*entries).replace("FILE", str(file))
    done = run("arlm", "train", *TINY, "--set", given, "--run", tmp_path / "run", check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == 1
    assert message in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("sets", [["data.manager={kind: task, task: 3}"], ["data.manager.task=3"]])
def test_the_task_is_no_option_of_a_manager(sets):
    with pytest.raises(Failed, match="`task` has no option `task`") as failed:
        Loaders(resolved(*sets))
    assert failed.value.diagnostics[0].code == "X602"


@pytest.mark.slow
def test_metrics_are_told_by_loader(file, tmp_path):
    """Of validation and of eval; they change neither the weights nor the other figures."""
    entries = of(HARD, {"kind": f"{file}:First", "name": "first", "stages": ["val", "predict"]})
    words = [*TINY, "--steps", 4, "--set", "train.evaluate_every=4"]
    plain, more = tmp_path / "plain", tmp_path / "more"
    run("arlm", "train", *words, "--run", plain)
    done = run("arlm", "train", *words, "--set", entries, "--run", more)
    assert "val/other/sequence_accuracy" in done.stderr
    assert weights(plain) == weights(more)
    found = {line["split"]: line for line in lines(more)}
    assert {*found} == {"train", "val", "val/other", "val/first"}
    assert {**found["val"]} == {line["split"]: line for line in lines(plain)}["val"]
    assert {*found["val/first"]} == {*found["val"]}
    assert found["val/first"]["loss"] != found["val"]["loss"]
    kept = {f.name for f in (more / "predictions").iterdir()}
    assert kept == {f"val{n}-0000004-0.jsonl" for n in ("", "-other", "-first")}
    figures = json.loads(run("arlm", "eval", "--run", more, "--json").stdout)
    assert figures["loaders"]["other"]["examples"] == 30
    assert 0 <= figures["loaders"]["other"]["token_accuracy"] <= 1
    assert "other/loss" in run("arlm", "eval", "--run", more).stdout
    [first] = run("arlm", "generate", "--run", more, "--json").stdout.splitlines()
    task = resolved().task
    assert json.loads(first)["prompt"] == task.tokenizer.decode(
        task.rows("test").prompt[0].tolist()
    )
