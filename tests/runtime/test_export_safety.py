"""An export publishes no secret, and its settings run no code where it is loaded."""

import json
import re
import shutil
from argparse import Namespace

import pytest
import torch
import yaml
from exports import SETS, minimal_export
from methods import ROOT
from package_runs import package_of, run

from xlm_spec.diagnostics import Failed
from xlm_spec.laws.package import import_package
from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.loading.layout import layout_of
from xlm_spec.runtime.publish import export
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.weights import checkpoint, pretrained
from xlm_spec.runtime.weights import exported as exported_settings
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def minimal(tmp_path_factory):
    """The export of a small random model."""
    return minimal_export(tmp_path_factory.mktemp("exports") / "minimal")


@pytest.fixture
def private(tmp_path):
    """A model whose spec and run name private files and code with secret options."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "words.txt").write_text("the cat sat\n" * 60)
    (folder / "extra.py").write_text("def ones(answers, rows):\n    return 0, 1\n")
    copy = shutil.copytree(ROOT / "generated" / "mdlm", tmp_path / "mdlm")
    spec = yaml.safe_load((copy / "spec.yaml").read_text())
    spec["data"] = {"task": "text", "file": f"{folder}/words.txt", "block": 8}
    spec["data"]["manager"] = {"kind": f"{folder}/extra.py:M", "password": "secret"}
    spec["train"] |= {"loggers": [{"kind": "wandb", "api_key": "secret"}], "report_to": "secret"}
    spec["train"]["callbacks"] = [{"kind": "./cb.py:Slack", "webhook": "https://x.y/secret"}]
    spec["train"]["optimizer"] = {"kind": "./opt.py:Opt", "token": "secret"}
    (copy / "spec.yaml").write_text(f"# in {folder}/\n{yaml.safe_dump(spec)}")
    package = import_package(copy, "mdlm")
    data = {k: v for k, v in spec["data"].items() if k != "manager"} | {"fill": "none"}
    train = {k: v for k, v in spec["train"].items() if k not in ("report_to", "optimizer")}
    sets = [*SETS, f"data.metrics={folder}/extra.py:ones"]
    sets += ["train.lr_schedule={kind: wsd, decay: 0.3}"]
    sets += ["train.strategy={kind: a.b.Strategy, token: secret}"]
    r = resolve_config(package, data, train, "text", "cpu", None, sets)
    layout = layout_of(package, r.task, r.config.vocab, r.data.fill)
    model = build_model(r, layout.max_length).eval()
    yield TrainedModel(r, layout, model, torch.device("cpu"), folder / "x.ckpt", 3)
    package_of("mdlm")


def test_no_secret_and_no_folder_of_this_machine_is_published(private, tmp_path):
    """Of a task or a text only the names of their files; of code with options nothing."""
    assert "secret" in str(private.run.as_dict())
    export.write_export(private, tmp_path / "out", "out")
    texts = {
        f.name: f.read_text() for f in (tmp_path / "out").iterdir() if f.suffix != ".safetensors"
    }
    for name in ("config.json", "README.md", "spec.yaml"):
        assert "words.txt" in texts[name]
    for word in ("private", "secret", str(tmp_path), "Slack", "webhook", "api_key", "injected"):
        assert [name for name, text in texts.items() if word in text] == []
    spec = yaml.safe_load(texts["spec.yaml"])
    assert spec["data"] == {"task": "text", "file": "words.txt", "block": 8}
    assert not {"loggers", "callbacks", "optimizer", "report_to"} & set(spec["train"])
    assert spec["train"]["batch"] == 64
    settings = json.loads(texts["config.json"])["xlm_spec"]
    assert settings["train"]["lr_schedule"] == {"kind": "wsd", "decay": 0.3}
    assert not {"loggers", "callbacks", "strategy"} & set(settings["train"])
    assert not {"manager", "loaders", "metrics"} & set(settings["data"])
    package = private.run.package
    loaded = pretrained.load(tmp_path / "out", package)
    [answer] = loaded.sample([loaded.tokenizer.encode("the ")], None, generator(0))
    assert len(answer) == 4
    args = Namespace(checkpoint=tmp_path / "out", run=None, task=None, sets=[])
    again = load_model(package, {"fill": "none"}, {}, args).run
    assert again.task.tokenizer == private.run.task.tokenizer


def test_paths_of_a_machine():
    for path in ("/home/me/a.txt", "~/me/a.txt", "../me/a.txt", "C:\\me\\a.txt"):
        assert exported_settings.without_folders({"x": [path]}) == {"x": ["a.txt"]}
        assert exported_settings.FOLDER.search(f"# see {path}") or path.startswith("..")
    for text in ("bob/data", "./heads.py:Head", "a.txt", "and/or", "arXiv:2406.07524", "p(x/y/z)"):
        assert exported_settings.without_folders(text) == text
        assert not exported_settings.FOLDER.search(text)
    assert not exported_settings.FOLDER.search("https://arxiv.org/abs/1 and ./heads/own.py")


EVIL = {"kind": "os.abort", "name": "more"}


RUNS_CODE = {
    "a manager": {"data": {"manager": EVIL}},
    "a dotted manager": {"data.manager": EVIL},
    "a dotted name of a manager": {"data.manager": "os.abort"},
    "options of a manager by their names": {"data.manager.kind": "os.abort"},
    "a dotted name in a section": {"data": {"manager.kind": "os.abort"}},
    "loaders": {"data": {"loaders": [EVIL, {"kind": "task", "name": "x", "task": "./evil.py"}]}},
    "dotted loaders": {"data.loaders": [EVIL]},
    "metrics": {"data": {"metrics": ["os.abort", "./evil.py:count"]}},
    "dotted metrics": {"data.metrics": ["os.abort"]},
    "an optimizer": {"train": {"optimizer": EVIL}},
    "a dotted optimizer": {"train.optimizer": EVIL},
    "a schedule": {"train": {"lr_schedule": "os.abort"}},
    "a strategy": {"train": {"strategy": "os.abort"}},
    "loggers": {"train": {"loggers": ["csv", "os.abort"], "callbacks": [EVIL]}},
    "the code of others": {"injected": {"os.abort": ""}, "teacher": "evil", "init": "evil"},
    "a package in a package": {"package": "os.path"},
}


@pytest.mark.parametrize("changes", RUNS_CODE.values(), ids=RUNS_CODE)
def test_an_export_runs_no_code_that_its_settings_name(changes, minimal, tmp_path, capsys):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    clean = checkpoint.load(copy)["xlm_spec"]
    assert capsys.readouterr().err == ""
    for key, value in changes.items():
        old = content["xlm_spec"].get(key)
        content["xlm_spec"][key] = old | value if isinstance(old, dict) else value
    (copy / "config.json").write_text(json.dumps(content))
    read = checkpoint.load(copy)["xlm_spec"]
    assert not re.search("abort|evil|os.path", json.dumps(read))
    assert read["backbone"] == clean["backbone"]
    args = Namespace(checkpoint=copy, run=None, task=None, sets=[])
    found = load_model(package_of("mdlm"), {"fill": "eos"}, {}, args).run
    assert found.injected == {}
    assert (found.data.manager, found.data.loaders, found.data.metrics) == ("task", (), ())
    assert (found.train.optimizer, found.train.lr_schedule) == ("adamw", "cosine")
    assert (found.teacher_file, found.init) == ("", "")
    for command in (["generate", "-n", 1], ["eval", "--split", "val"]):
        run("mdlm", *command, "--checkpoint", copy, "--set", "sampler.ancestral.steps=1")


def test_settings_that_are_left_out_are_named(minimal, tmp_path, capsys):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    content["xlm_spec"]["data"] |= {"manager": "os.abort", "loaders": [], "metrics": ["os.abort"]}
    content["xlm_spec"]["train"] |= {"optimizer": {"kind": "sgd", "momentum": 0.5}}
    (copy / "config.json").write_text(json.dumps(content))
    read = checkpoint.load(copy)["xlm_spec"]
    assert read["train"]["optimizer"] == {"kind": "sgd", "momentum": 0.5}
    err = capsys.readouterr().err
    assert err == "not used: settings that no export has, data.manager, data.metrics\n"


def test_an_export_without_settings_is_damaged(minimal, tmp_path):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    for wrong in ({}, [], None, {"task": ["star_mini"], "vocab": {"size": 3}}):
        (copy / "config.json").write_text(json.dumps(content | {"xlm_spec": wrong}))
        with pytest.raises(Failed, match="cannot read the export"):
            checkpoint.load(copy)


def test_the_task_file_of_an_export_is_passed_by_its_user(minimal, tmp_path):
    copy = shutil.copytree(minimal, tmp_path / "copy")
    content = json.loads((copy / "config.json").read_text())
    content["xlm_spec"]["task"] = "sort.py"
    (copy / "config.json").write_text(json.dumps(content))
    (tmp_path / "sort.py").write_text("raise SystemExit\n")
    done = run("mdlm", "generate", "--checkpoint", copy, check=False)
    assert done.stderr.count("error[") == 1
    assert "error[X501]: the export was trained on a task file, `sort.py`" in done.stderr
    assert "--task ./sort.py" in done.stderr
