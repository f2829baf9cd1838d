"""A checkpoint of a stranger runs no code that its settings name."""

import shutil
from types import SimpleNamespace

import pytest
from methods import ROOT
from package_runs import TINY, run

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.consent import require_known_code

METRIC = """
from pathlib import Path

import torch

Path(__file__).with_name("ran").touch()


def right(answers, rows):
    return torch.ones(len(answers)).double(), torch.ones(len(answers)).double()
"""
SHELL = {"kind": "subprocess.Popen", "args": "touch ran"}


def refused(stored, data=None, task=None, sets=(), folder="."):
    package = SimpleNamespace(__file__=f"{folder}/own/own/__init__.py")
    try:
        require_known_code(stored, package, data or {}, task, sets, "a.ckpt")
    except Failed as e:
        [diagnostic] = e.diagnostics
        assert diagnostic.code == "X705"
        return diagnostic.message.split("`")[1]
    return None


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ({"data.manager": SHELL}, "subprocess.Popen"),
        ({"data.manager": "os.abort"}, "os.abort"),
        ({"data.metrics": ("/theirs.py:f",)}, "/theirs.py:f"),
        ({"data.metrics": [SHELL]}, "subprocess.Popen"),
        ({"data.metrics": ({"kind": "mauve", "update": "/theirs.py:f"},)}, "/theirs.py:f"),
        ({"data.metrics": ({"kind": "mauve", "judge": "./gpt2"}, "bleu")}, None),
        ({"data.loaders": ({"kind": "task", "name": "a", "task": "/theirs.py"},)}, "/theirs.py"),
        ({"data.loaders": ({"kind": "/theirs.py:Even", "name": "a"},)}, "/theirs.py:Even"),
        ({"task": "/theirs.py"}, "/theirs.py"),
        ({"task": "star_mini", "data.manager": "task", "data.metrics": ()}, None),
        ({"data.loaders": ({"kind": "task", "name": "a", "stages": ["val"]},)}, None),
        ({"train.optimizer": "subprocess.Popen", "train.callbacks": (SHELL,)}, None),  # not read
    ],
)
def test_code_that_a_checkpoint_names(stored, code):
    assert refused(stored) == code


def test_code_that_the_command_or_the_spec_names(tmp_path):
    stored = {"data.metrics": (f"{tmp_path}/own/mine.py:f",), "task": f"{tmp_path}/own/mine.py"}
    assert refused(stored, folder=tmp_path) == f"{tmp_path}/own/mine.py:f"
    assert refused(stored, sets=["data.metrics=[]"]) == f"{tmp_path}/own/mine.py"
    assert refused(stored, task="star_mini", sets=["data.metrics=[]"], folder=tmp_path) is None
    spec = {"task": "./mine.py", "metrics": ["./mine.py:f"]}
    assert refused(stored, spec, folder=tmp_path) is None
    assert refused(stored, {**spec, "metrics": ["./mine.py:g"]}, folder=tmp_path) is not None
    assert refused(stored, spec, folder=tmp_path / "elsewhere") is not None


@pytest.mark.slow
def test_a_checkpoint_of_a_stranger_runs_nothing(tmp_path):
    """The control: `--run` with the same file runs the code."""
    theirs, ran, copy = tmp_path / "theirs.py", tmp_path / "ran", tmp_path / "theirs.ckpt"
    theirs.write_text((ROOT / "tests" / "tiny_task.py").read_text() + METRIC)
    of_task = ["--task", theirs, *TINY[2:]]
    sets = ["--steps", 1, "--set", f"data.metrics={theirs}:right", "--run", tmp_path / "run"]
    run("mdlm", "train", *of_task, *sets)
    shutil.copy(tmp_path / "run" / "checkpoints" / "last.ckpt", copy)
    ran.unlink()
    theirs.write_text(theirs.read_text() + "# executed anew\n")
    for words in (["eval"], ["generate"], ["export", "--to", tmp_path / "out"]):
        done = run("mdlm", *words, "--checkpoint", copy, check=False)
        assert done.returncode == 1
        assert done.stderr.count("error[") == done.stderr.count("error[X705]") == 1
        assert f"use --run {copy}" in done.stderr
    assert not ran.exists()
    few = ["eval", "--split", "val", "--set", "sampler.ancestral.steps=1"]
    named = ["--task", theirs, "--set", f"data.metrics={theirs}:right"]
    run("mdlm", *few, "--checkpoint", copy, *named)
    ran.unlink()
    theirs.write_text(theirs.read_text() + "# executed anew\n")
    run("mdlm", *few, "--run", copy)
    assert ran.exists()
