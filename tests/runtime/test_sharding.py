"""Strategies and numbers of devices: a checkpoint of one continues with any other."""

import os
import subprocess
import sys

import pytest
import torch
from methods import ROOT
from package_runs import run

pytestmark = pytest.mark.slow
SETS = [
    *("--task", str(ROOT / "tests" / "tiny_task.py"), "--size", "cpu"),
    *("--set", "backbone.layers=2", "--set", "backbone.width=16", "--set", "backbone.heads=2"),
    *("--set", "train.batch=8", "--set", "train.sample_examples=0", "--set", "train.log_every=1"),
    *("--set", "train.loggers=[]", "--set", "train.lr_schedule=constant"),
    *("--set", "train.warmup=0", "--set", "train.evaluate_every=3", "--set", "train.ema=0.9"),
]


def two(*words):
    """Two processes, gloo on the CPU."""
    done = subprocess.run(
        [sys.executable, "-m", "arlm", "train", *map(str, words), "--devices", "2"],
        cwd=ROOT / "generated" / "arlm",
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr


def last(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def test_a_run_continues_with_other_devices_and_strategies(tmp_path):
    """One process; ddp in two; one; fsdp2 in two; one. Equal to one process to 1e-5.

    The method draws no noise, so that its micro-batches do not matter.
    """
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run("arlm", "train", *SETS, "--steps", 15, "--run", whole)
    run("arlm", "train", *SETS, "--steps", 3, "--run", parts)
    resume = ["--run", parts, "--resume"]
    two(*resume, "--steps", 6)
    run("arlm", "train", *resume, "--steps", 9)
    two(*resume, "--strategy", "fsdp2", "--steps", 12)
    sharded = last(parts)
    run("arlm", "train", *resume, "--steps", 15)
    a, b = last(whole), last(parts)
    for part in ("state_dict", "current_model_state"):
        assert a[part].keys() == b[part].keys() == sharded[part].keys()
        assert all(torch.allclose(v, b[part][k], atol=1e-5) for k, v in a[part].items())
        assert not all(torch.allclose(v, sharded[part][k], atol=1e-5) for k, v in a[part].items())
    [a], [b] = a["optimizer_states"], b["optimizer_states"]
    assert a["state"].keys() == b["state"].keys()
    for i, moments in a["state"].items():
        assert all(torch.allclose(v, b["state"][i][k], atol=1e-5) for k, v in moments.items())
