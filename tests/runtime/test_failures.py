"""If one of two processes fails: what the devices share is saved, and the run continues exactly."""

import pytest
import torch
from methods import ROOT
from package_runs import lines, run
from process_pairs import two_commands
from record_streams import pairs_of_a_stream

from xlm_spec.runtime.machine import shares

SETS = [
    *("--set", "backbone.layers=2", "--set", "backbone.width=16", "--set", "backbone.heads=2"),
    *("--set", "train.batch=8", "--set", "train.sample_examples=0", "--set", "train.log_every=1"),
    *("--set", "train.loggers=[]", "--set", "train.lr_schedule=constant"),
    *("--set", "train.warmup=0", "--set", "train.evaluate_every=3", "--set", "train.ema=0.9"),
]
TASK = ["--task", str(ROOT / "tests" / "tiny_task.py"), "--size", "cpu", *SETS]
FAILS = """
import os
import signal

from lightning.pytorch.callbacks import Callback


class Fails(Callback):
    def fail(self, trainer, step, how):
        if RANK == trainer.global_rank and trainer.global_step == step and how == "HOW":
            if "HOW" == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("as asked")

    def on_before_backward(self, trainer, *_):
        self.fail(trainer, 7, "killed")
        self.fail(trainer, 7, "raises")

    def on_validation_batch_start(self, trainer, *_):
        self.fail(trainer, 6, "validating")

    def on_before_optimizer_step(self, trainer, *_):
        self.fail(trainer, 7, "updating")
"""


def failed(folder, words, rank, how):
    """stderr of the first of two processes, of which one fails."""
    file = folder / "fails.py"
    file.write_text(FAILS.replace("RANK", str(rank)).replace("HOW", how))
    words = [*words, "--steps", 9, "--set", f"train.callbacks=[{file}:Fails]"]
    (code, errors), _ = two_commands("arlm", "train", *words, "--run", folder / "run")
    assert code == 1, errors
    file.write_text(FAILS.replace("RANK", "-1"))
    return errors


def require_equal(folder, whole):
    """The weights of two runs to 1e-5, and their figures to the step."""
    a, b = (
        torch.load(f / "checkpoints" / "last.ckpt", weights_only=True)["current_model_state"]
        for f in (folder, whole)
    )
    assert all(torch.allclose(v, b[k], atol=1e-5) for k, v in a.items())
    assert [x["step"] for x in lines(folder)] == [x["step"] for x in lines(whole)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    run("arlm", "train", *TASK, "--steps", 9, "--run", folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rank", "how", "step"),
    [
        (1, "raises", 7),
        pytest.param(0, "raises", 7, marks=pytest.mark.full),
        pytest.param(0, "validating", 6, marks=pytest.mark.full),
    ],
)
def test_devices_that_share_the_weights_save_them(rank, how, step, whole, tmp_path):
    """Each leaves its share. One process joins them, and continues."""
    errors = failed(tmp_path, [*TASK, "--strategy", "fsdp2"], rank, how)
    checkpoints = tmp_path / "run" / "checkpoints"
    folder = checkpoints / "exception.ckpt.shares"
    assert f"saved the share of step {step} in {folder}; --resume joins" in errors
    assert ("as asked" in errors) == (rank == 0)
    done = run("arlm", "train", "--run", tmp_path / "run", "--resume", "--strategy", "ddp")
    assert f"joined the shares of step {step}" in done.stderr
    assert not folder.exists()
    require_equal(tmp_path / "run", whole)


@pytest.mark.slow
@pytest.mark.full
def test_a_killed_process_leaves_no_share(tmp_path):
    """Its part of the weights is lost: the run continues from its last checkpoint."""
    failed(tmp_path, [*TASK, "--strategy", "fsdp2"], 1, "killed")
    done = run("arlm", "train", "--run", tmp_path / "run", "--resume", "--strategy", "ddp")
    assert "warning: cannot join the shares" in done.stderr
    assert "process 1 left none" in done.stderr
    checkpoints = tmp_path / "run" / "checkpoints"
    assert not [f for f in checkpoints.iterdir() if f.name.startswith("exception")]


def left(folder, *steps):
    """Shares of a weight of 3 rows, the first of 2."""
    for rank, step in enumerate(steps):
        rows = torch.arange(6.0).view(3, 2)[2 * rank : 2 * rank + 2]
        place = "state_dict/w"
        rest = {
            "global_step": step,
            "state_dict": {"w": None},
            "places": {place: ("state_dict", "w")},
        }
        share = {"world": 2, "rest": rest, "tensors": {place: (rows, True)}}
        folder.mkdir(exist_ok=True)
        torch.save(share, folder / f"{rank}.pt")


def test_shares_are_joined_only_if_all_are_there_and_of_one_step(tmp_path):
    left(tmp_path / "a", 7, 7)
    found = shares.joined(shares.read(tmp_path / "a"))
    assert torch.equal(found["state_dict"]["w"], torch.arange(6.0).view(3, 2))
    left(tmp_path / "b", 7, 8)
    with pytest.raises(RuntimeError, match="they are of steps 7, 8"):
        shares.read(tmp_path / "b")
    left(tmp_path / "c", 7)
    with pytest.raises(RuntimeError, match="process 1 left none"):
        shares.read(tmp_path / "c")


@pytest.fixture(scope="module")
def stream_words(tmp_path_factory):
    return [*pairs_of_a_stream(tmp_path_factory.mktemp("pairs")), *SETS]


@pytest.fixture(scope="module")
def whole_stream(stream_words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream") / "run"
    for code, errors in two_commands("arlm", "train", *stream_words, "--steps", 9, "--run", folder):
        assert code == 0, errors
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rank", "how"), [(1, "killed"), pytest.param(0, "updating", marks=pytest.mark.full)]
)
def test_the_positions_of_all_processes_in_a_stream_are_saved(
    rank, how, stream_words, whole_stream, tmp_path
):
    """Also that of a process that was killed: it left a note. No record is lost or repeated."""
    errors = failed(tmp_path, stream_words, rank, how)
    assert f"saved step 7 as {tmp_path / 'run' / 'checkpoints' / 'exception.ckpt'}" in errors
    for code, errors in two_commands("arlm", "train", "--run", tmp_path / "run", "--resume"):
        assert code == 0, errors
    require_equal(tmp_path / "run", whole_stream)
    states = [
        torch.load(f / "checkpoints" / "last.ckpt", weights_only=True)["DataModule"]
        for f in (tmp_path / "run", whole_stream)
    ]
    assert states[0] == states[1]
