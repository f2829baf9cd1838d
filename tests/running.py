"""A package's commands, run for tests, and what they leave behind."""

import contextlib
import hashlib
import importlib
import io
import json
import sys
from types import SimpleNamespace

import torch
from making import ROOT

from xlm_spec.runtime import main as runtime

TINY = [
    *("--task", "star_mini", "--size", "cpu"),
    *("--set", "backbone.layers=1", "--set", "backbone.width=32", "--set", "backbone.heads=2"),
    *("--set", "train.sample_examples=10", "--set", "train.log_every=4"),
]


def package_of(name):
    """A package of `generated/`, imported."""
    folder = str(ROOT / "generated" / name)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def run(name, *words, check=True):
    """`python -m NAME ...`, in this process: what is run is what `__main__` runs."""
    package, main = package_of(name), importlib.import_module(f"{name}.__main__")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = runtime.main(package, main.DATA, main.TRAIN, [str(w) for w in words])
        except SystemExit as e:  # argparse
            code = e.code
    if check:
        assert code == 0, err.getvalue()
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def lines(folder):
    """metrics.jsonl without the seconds."""
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(line.pop("seconds") >= 0 for line in found)
    return found


def weights(folder, name="last"):
    """sha256 of averaged and current weights."""
    found = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    digest = hashlib.sha256()
    for part in ("state_dict", "current_model_state"):
        for key, value in sorted(found.get(part, {}).items()):
            digest.update(key.encode() + value.numpy().tobytes())
    return digest.hexdigest()
