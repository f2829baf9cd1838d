"""Milestones, and the checkpoints of a run that ends early: a run continues from each exactly."""

import shutil
import signal

import pytest
import torch
from methods import ROOT
from package_runs import lines, run, weights

from xlm_spec.runtime.training.saving import milestones, newest, thinned

SMALL = [
    *("--task", str(ROOT / "tests" / "tiny_task.py"), "--set", "train.batch=8"),
    *("--set", "backbone.layers=1", "--set", "backbone.width=16", "--set", "backbone.heads=1"),
    *("--set", "train.sample_examples=0", "--set", "train.loggers=[]", "--set", "train.lr=1e-2"),
    *("--set", "train.log_every=1", "--set", "train.evaluate_every=6", "--set", "train.ema=0.9"),
]
CALLBACK = """
import os
import signal

from lightning.pytorch.callbacks import Callback


class End(Callback):
    def __init__(self, batch, how):
        self.batch, self.how = batch, how

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.end("after", batch_idx)

    def on_before_backward(self, trainer, module, loss):
        self.end("within", trainer.fit_loop.epoch_loop.batch_idx)

    def on_validation_batch_start(self, trainer, *_):
        self.end("validation", trainer.fit_loop.epoch_loop.batch_idx)

    def end(self, where, batch):
        if batch != self.batch or self.how.partition(" ")[2] != where:
            return
        self.batch = -1
        if self.how.startswith("signal"):
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            raise ValueError("as asked")
"""
STEPS = ["--steps", 15, "--set", "train.accumulate=2"]


def train(folder, *words, check=True):
    return run("mdlm", "train", *SMALL, *words, "--run", folder, check=check)


@pytest.mark.parametrize(
    ("recent", "every", "kept"),
    [
        (2, 1, [10, 20, 30, 40, 50, 60]),
        (2, 0, [50, 60]),
        (0, 0, []),
        (2, 30, [30, 50, 60]),
        (0, 30, [30, 60]),
        (9, 30, [10, 20, 30, 40, 50, 60]),
    ],
)
def test_thinning(recent, every, kept):
    steps = range(10, 70, 10)
    assert sorted({*steps} - {*thinned(steps, recent, every)}) == kept
    seen: set[int] = set()  # thinned after each
    for step in steps:
        seen.add(step)
        seen -= {*thinned(seen, recent, every)}
    assert sorted(seen) == kept


def test_a_run_continues_from_its_newest_checkpoint(tmp_path):
    assert newest(tmp_path) is None
    torch.save({"global_step": 20}, tmp_path / "last.ckpt")
    torch.save({"global_step": 10}, tmp_path / "exception.ckpt")
    (tmp_path / "step-0000020.ckpt").touch()
    assert newest(tmp_path) == tmp_path / "last.ckpt"
    (tmp_path / "step-0000025.ckpt").touch()
    assert newest(tmp_path) == tmp_path / "step-0000025.ckpt"
    (tmp_path / "last.ckpt").write_text("damaged")
    (tmp_path / "step-0000030.ckpt.part").touch()
    assert milestones(tmp_path).keys() == {20, 25}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of 15 steps of two micro-batches."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    milestones = ["--set", "train.save_every=2", "--set", "train.keep_recent=1"]
    train(folder, *STEPS, *milestones, "--set", "train.keep_every=6")
    return folder


@pytest.mark.slow
def test_milestones_are_kept_and_continued(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    assert sorted(milestones(folder / "checkpoints")) == [6, 12, 14]
    assert not [*(folder / "checkpoints").glob("*.part")]
    for name in ("best", "last"):
        (folder / "checkpoints" / f"{name}.ckpt").unlink()
    run("mdlm", "train", "--run", folder, "--resume")  # from step 14
    assert weights(folder) == weights(whole)
    assert lines(folder) == lines(whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "step", "saved"),
    [
        ("signal within", 7, ("last", 7)),
        ("signal after", 12, ("last", 6)),  # it ends the validation at step 12
        ("error within", 9, ("exception", 8)),
        ("error after", 7, ("exception", 7)),
        ("error after", 12, ("last", 6)),  # validation follows step 12
        ("error validation", 12, ("last", 6)),
    ],
)
def test_an_early_end_is_continued_exactly(how, step, saved, whole, tmp_path):
    file, folder = tmp_path / "ends.py", tmp_path / "run"
    file.write_text(CALLBACK)
    callback = f"train.callbacks=[{{kind: {file}:End, batch: {2 * step - 1}, how: {how}}}]"
    done = train(folder, *STEPS, "--set", callback, check=False)
    assert done.returncode == (128 + signal.SIGTERM if "signal" in how else 1), done.stderr
    name, at = saved
    content = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    assert content["global_step"] == at
    assert ("saved step" in done.stderr) == (name == "exception")
    assert newest(folder / "checkpoints").stem == ("last" if at == 6 else name)
    file.write_text(CALLBACK.replace("if batch", "return\n        if batch"))
    run("mdlm", "train", "--run", folder, "--resume")
    assert weights(folder) == weights(whole)
    lost = [7] if (how, step) == ("error after", 7) else []  # it was not yet logged
    assert lines(folder) == [x for x in lines(whole) if x["step"] not in lost]
