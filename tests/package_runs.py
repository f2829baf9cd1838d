"""A package's commands, run for tests, and what they leave behind."""

import contextlib
import hashlib
import importlib
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from methods import ROOT

from xlm_spec.laws.package import import_package
from xlm_spec.runtime import main as runtime

TINY = [
    *("--task", "star_mini", "--size", "cpu"),
    *("--set", "backbone.layers=1", "--set", "backbone.width=32", "--set", "backbone.heads=2"),
    *("--set", "train.sample_examples=10", "--set", "train.log_every=4"),
]


def package_of(name):
    """A package of `generated/`, imported. Another package of its name gives way.

    `verify` and `load_package` import packages of other folders under the same names.
    """
    folder = ROOT / "generated" / name
    known = sys.modules.get(name)
    if known and Path(known.__file__).parent.parent == folder:
        return known
    return import_package(folder, name)


def run(name, *words, check=True):
    """`python -m NAME ...`, in this process: what is run is what `__main__` runs."""
    return run_package(package_of(name), *words, check=check)


def run_package(package, *words, check=True):
    """The same, of a package that is imported."""
    main = importlib.import_module(f"{package.__name__}.__main__")
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
