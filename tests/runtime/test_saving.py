"""Milestones, and the checkpoints of a run that ends early: a run continues from each exactly."""

import shutil
import signal

import pytest
import torch
from methods import ROOT
from package_runs import lines, run, weights

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.config.settings import Train
from xlm_spec.runtime.training.saving import milestones, newest, thinned
from xlm_spec.runtime.training.train import require_kept
from xlm_spec.runtime.weights import checkpoint
from xlm_spec.runtime.weights.load_model import best_of

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
    torch.save({"global_step": 20}, tmp_path / "step-0000020.ckpt")
    assert newest(tmp_path) == tmp_path / "last.ckpt"
    torch.save({"global_step": 25}, tmp_path / "step-0000025.ckpt")
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
        ("signal after", 12, ("last", 12)),  # it ends the validation at step 12
        ("error within", 9, ("exception", 8)),
        ("error after", 7, ("exception", 7)),
        ("error after", 12, ("exception", 12)),  # validation follows step 12
        ("error validation", 12, ("exception", 12)),
        ("error validation", 15, ("exception", 15)),  # after the last step
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
    lost = (step, "train") if how == "error after" else None  # it was not yet logged
    assert lines(folder) == [x for x in lines(whole) if (x["step"], x["split"]) != lost]
    assert score(folder, "best") == score(whole, "best")
    assert score(folder, "last") == score(whole, "last")


def score(folder, name):
    """Step and best validation loss of a checkpoint."""
    content = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    states = content["callbacks"].items()
    [best] = [s for k, s in states if k.startswith("ModelCheckpoint") and "val/loss" in k]
    return content["global_step"], float(best["best_model_score"])


WRITER = """
from xlm_spec.runtime.evaluation.writers import Writer


class Fails(Writer):
    def write(self, records, place):
        if place.step == FAIL:
            raise ValueError("as asked")
"""


@pytest.mark.slow
def test_a_writer_that_fails_in_validation_loses_no_step(tmp_path):
    file = tmp_path / "fails.py"
    words = ["--steps", 12, "--set", "train.evaluate_every=10", "--set", "train.sample_examples=2"]
    words += ["--set", f"train.predictions=[file,{file}:Fails]"]
    file.write_text(WRITER.replace("FAIL", "-1"))
    train(tmp_path / "whole", *words)
    file.write_text(WRITER.replace("FAIL", "10"))
    done = train(tmp_path / "run", *words, check=False)
    assert done.returncode == 1
    assert f"saved step 10 as {tmp_path / 'run' / 'checkpoints' / 'exception.ckpt'}" in done.stderr
    file.write_text(WRITER.replace("FAIL", "-1"))
    run("mdlm", "train", "--run", tmp_path / "run", "--resume")
    a, b = tmp_path / "run", tmp_path / "whole"
    assert (weights(a), lines(a)) == (weights(b), lines(b))
    first, second = (sorted((x / "predictions").glob("*.jsonl")) for x in (a, b))
    assert [x.read_text() for x in first] == [x.read_text() for x in second]
    again = run("mdlm", "train", "--run", tmp_path / "run", "--resume")
    assert "already finished" in again.stderr


def test_milestones_that_are_not_kept_are_one_diagnostic():
    kept = {"save_every": 3, "steps": 20}
    for wrong in ({"keep_every": 0}, {"keep_every": 7}, {"keep_every": 0, "minutes": 1.0}):
        with pytest.raises(Failed) as e:
            require_kept(Train(**kept, keep_recent=0, **wrong))
        [diagnostic] = e.value.diagnostics
        assert diagnostic.code == "X602"
        assert "train.keep_recent=1" in diagnostic.hint
    for right in ({"keep_recent": 1, "keep_every": 0}, {"keep_recent": 0, "keep_every": 2}):
        require_kept(Train(**kept, **right))
    require_kept(Train(save_every=0, keep_recent=0, keep_every=0))


def test_a_checkpoint_that_cannot_be_read_is_named(tmp_path, capsys):
    torch.save({"global_step": 20}, tmp_path / "last.ckpt")
    torch.save({"global_step": 10}, tmp_path / "step-0000010.ckpt")
    assert newest(tmp_path) == tmp_path / "last.ckpt"
    assert not capsys.readouterr().err
    whole = (tmp_path / "last.ckpt").read_bytes()
    (tmp_path / "last.ckpt").write_bytes(whole[: len(whole) // 2])
    older = tmp_path / "step-0000010.ckpt"
    assert newest(tmp_path) == older
    expected = f"warning: cannot read {tmp_path / 'last.ckpt'}; continues from {older}\n"
    assert capsys.readouterr().err == expected
    newer = tmp_path / "step-0000030.ckpt"  # of a disk that was full
    newer.write_bytes(whole[: len(whole) // 2])
    assert newest(tmp_path) == older
    [first, second] = capsys.readouterr().err.splitlines()
    assert (first, second) == (
        expected.strip(),
        f"warning: cannot read {newer}; continues from {older}",
    )
    (tmp_path / "last.ckpt").write_bytes(whole)
    assert newest(tmp_path) == tmp_path / "last.ckpt"
    assert str(newer) in capsys.readouterr().err
    for file in (older, newer):
        file.unlink()
    (tmp_path / "last.ckpt").write_bytes(b"")
    assert newest(tmp_path) == tmp_path / "last.ckpt"  # its diagnostic follows
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"text", "not a file of torch"),
        (None, "the file is incomplete"),
        (print, "it holds objects other than tensors"),
    ],
)
def test_why_a_checkpoint_cannot_be_read(content, why, tmp_path):
    file = tmp_path / "a.ckpt"
    torch.save({"global_step": content}, file)
    if content is None:
        content = file.read_bytes()[:-40]
    if isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(Failed) as e:
        checkpoint.read(file)
    [diagnostic] = e.value.diagnostics
    assert diagnostic.code == "X701"
    assert diagnostic.message.startswith(f"cannot read the checkpoint: {why}")


def test_a_mistyped_checkpoint_lists_those_that_exist(tmp_path):
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    wrong = folder / "step-0000009.ckpt"
    assert hint(wrong) == ("checkpoint does not exist", "")
    (folder / "step-0000010.ckpt").touch()
    (folder / "exception.ckpt").touch()
    names = f"checkpoints in {folder}: exception.ckpt, step-0000010.ckpt"
    assert hint(wrong) == ("checkpoint does not exist", names)
    assert hint(tmp_path / "run") == ("the run has no best.ckpt or last.ckpt", names)
    assert hint(tmp_path / "rum")[0] == "the run does not exist"


def hint(source):
    with pytest.raises(Failed) as e:
        checkpoint.load(best_of(source))
    [diagnostic] = e.value.diagnostics
    return diagnostic.message, diagnostic.hint
