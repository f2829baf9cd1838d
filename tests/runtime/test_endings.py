"""Ends and starts of runs: signals, time budgets, shared folders, environment variables.
Each test runs the command as its own process, as a shell or a scheduler does.
"""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
import torch
import yaml
from methods import ROOT
from package_runs import TINY, lines, run, weights
from scheduling import shares
from warm_python import python

pytestmark = pytest.mark.slow
QUICK = [*TINY, "--set", "train.batch=16", "--set", "train.evaluate_every=20"]


def start(name, *words, cwd=None, interpreter=None, **environment):
    """`python -m NAME ...` in the package's folder."""
    env = os.environ | {"PYTHONPATH": str(ROOT / "generated" / name)} | environment
    return subprocess.Popen(
        [interpreter or python(), "-m", name, *map(str, words)],
        cwd=cwd or ROOT / "generated" / name,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may ignore it
    )


def ended(process, limit=120):
    """Exit code, stdout and stderr."""
    out, err = process.communicate(timeout=limit)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def wait_for(file, process):
    while not file.exists():
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("devices", [1, 2])
def test_a_run_ended_by_a_signal_fails_and_resumes(number, devices, tmp_path):
    """Exit code 128 + signal; with two processes, when only the first one receives it."""
    folder = tmp_path / "run"
    words = [*QUICK, "--steps", 100000, "--devices", devices, "--run", folder]
    process = start("mdlm", "train", *words)
    wait_for(folder / "checkpoints" / "last.ckpt", process)
    process.send_signal(number)
    code, out, err = ended(process)
    assert code == 128 + number
    assert out == ""
    assert f"continue with --run {folder} --resume" in err
    assert torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] >= 20


def test_a_signal_between_two_devices_counts_after_the_next_batch(monkeypatch):
    """It arrives while they wait for each other: nobody ends alone, and it is not forgotten."""
    from types import SimpleNamespace

    from xlm_spec.runtime.training.ending import Ending, Stopped

    ending = Ending(minutes=0, accumulate=1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(
        torch.distributed, "all_reduce", lambda *_: ending.receive(signal.SIGTERM, None)
    )
    trainer = SimpleNamespace(world_size=2)
    ended_batch = (trainer, SimpleNamespace(device="cpu"), None, None)
    ending.on_train_batch_end(*ended_batch, batch_idx=0)  # the other device has received no signal
    ending.on_train_batch_end(*ended_batch, batch_idx=1)
    with pytest.raises(Stopped):
        ending.on_train_batch_start(trainer, None, None, batch_idx=2)


@pytest.mark.parametrize("worker", [False, True])
def test_a_failed_process_ends_the_run_with_one_diagnostic(worker, tmp_path):
    """The first one, where its checkpoint cannot be written; or a worker that is killed."""
    folder = tmp_path / "run"
    words = [*QUICK, "--steps", 100000, "--devices", 2, "--run", folder]
    process = start("mdlm", "train", *words, interpreter=sys.executable if worker else python())
    wait_for(folder / "checkpoints" / "last.ckpt", process)
    if worker:
        found = ["pgrep", "-P", str(process.pid)]
        [child] = subprocess.run(found, capture_output=True, text=True, check=True).stdout.split()
        os.kill(int(child), signal.SIGKILL)
    else:
        (folder / "checkpoints" / "best.ckpt.part").mkdir()
        (folder / "checkpoints" / "last.ckpt.part").mkdir()
    code, _, err = ended(process)
    assert code == 1
    assert err.count("error[") == 1
    assert f"error[X6{'15' if worker else '09'}]" in err


def worker_of(process):
    """The process id of the worker, as soon as it runs."""
    while True:
        assert process.poll() is None
        # git is a child for a moment, and before it starts it has the arguments of its parent
        words = ["pgrep", "-P", str(process.pid), "-f", r"mdlm\.__main__"]
        found = subprocess.run(words, capture_output=True, text=True)
        if found.stdout:
            return int(found.stdout.split()[0])
        time.sleep(0.01)


def test_a_worker_that_fails_at_its_start_ends_the_run_in_one_diagnostic(tmp_path):
    """Before the processes are connected, nothing else would tell the first one."""
    words = [*QUICK, "--steps", 100000, "--devices", 2, "--run", tmp_path / "run"]
    process = start("mdlm", "train", *words, interpreter=sys.executable)
    os.kill(worker_of(process), signal.SIGKILL)
    code, _, err = ended(process)
    assert code == 1
    assert err.count("error[X615]") == 1


@pytest.mark.parametrize("number", shares([signal.SIGTERM, signal.SIGINT], 2))
def test_a_signal_to_both_processes_while_they_start(number, tmp_path):
    """As Ctrl-C in a terminal: the worker still imports torch."""
    words = [*QUICK, "--steps", 100000, "--devices", 2, "--run", tmp_path / "run"]
    process = start("mdlm", "train", *words, interpreter=sys.executable)
    worker = worker_of(process)
    for each in (worker, process.pid):
        os.kill(each, number)
    code, _, err = ended(process)
    assert code == 128 + number, err
    assert "continue with" in err


@pytest.mark.parametrize("moment", ["at the start", "while it trains"])
def test_no_process_outlives_the_first(moment, tmp_path):
    """SIGKILL leaves nobody time to tell the others."""
    folder = tmp_path / "run"
    words = [*QUICK, "--steps", 100000, "--devices", 2, "--run", folder]
    at_start = moment == "at the start"
    first = start("mdlm", "train", *words, interpreter=sys.executable if at_start else python())
    wait_for(folder / ("config.yaml" if at_start else "metrics.jsonl"), first)
    first.kill()
    first.communicate(timeout=60)  # ends when nobody holds the pipes any more
    assert first.returncode == -9
    run("mdlm", "train", *QUICK, "--steps", 20, "--run", tmp_path / "other")  # nobody holds a lock


def test_minutes_end_a_run_by_the_clock(tmp_path):
    """Training time is the budget; validation is counted apart and said."""
    folder, before = tmp_path / "run", time.time()
    words = [*TINY, "--minutes", 0.05, "--run", folder]
    code, _, err = ended(start("arlm", "train", *words))
    assert code == 0
    config = yaml.safe_load((folder / "config.yaml").read_text())["train"]
    assert config["minutes"] == 0.05
    assert config["steps"] == max(line["step"] for line in lines(folder) if line["split"] == "val")
    assert f"{config['steps']} steps in 0.05 minutes of training" in err
    assert "; validation took" in err
    found = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert found["global_step"] == config["steps"]
    assert 3.0 <= found["callbacks"]["Ending"]["spent"] < time.time() - before
    done = run("arlm", "train", "--run", folder, "--resume")
    assert "finished" in done.stderr


def test_the_learning_rate_follows_the_share_of_the_minutes():
    """Half a cosine over time where there is a budget of time; control: over steps elsewhere."""
    from types import SimpleNamespace

    from xlm_spec.runtime.config.settings import Train
    from xlm_spec.runtime.training.ending import Ending
    from xlm_spec.runtime.training.harness import Harness
    from xlm_spec.runtime.training.lr_schedules import cosine

    ending = Ending(minutes=2.0, accumulate=1)
    of = lambda **train: SimpleNamespace(  # noqa: E731
        ending=ending, run=SimpleNamespace(train=Train(lr_end=0.0, **train)), lr_law=cosine
    )
    for spent, share in ((0.0, 1.0), (60.0, 0.5), (120.0, 0.0)):
        ending.spent = spent
        assert Harness.lr_share(of(minutes=2.0), 3) == pytest.approx(share)
        assert Harness.lr_share(of(steps=6), 3) == pytest.approx(0.5)


def test_validation_never_takes_longer_than_training():
    """Under --minutes: a split that is slow to score is scored at the end alone."""
    from types import SimpleNamespace

    from xlm_spec.runtime.training.ending import NEVER, Ending

    trainer = SimpleNamespace(
        world_size=1, should_stop=False, fit_loop=SimpleNamespace(total_batch_idx=6)
    )
    module = SimpleNamespace(device="cpu")
    for validating, checked in ((0.0, 7), (50.0, NEVER)):
        ending = Ending(minutes=1.0, accumulate=1)
        ending.spent, ending.validating = 7.0, validating
        ending.on_train_batch_end(trainer, module, None, None, 0)
        assert trainer.val_check_batch == checked


def test_runs_that_start_together_get_different_folders(tmp_path):
    words = [*QUICK, "--steps", 20]
    started = partial(start, "mdlm", "train", *words, cwd=tmp_path)
    all_at_once = [started("--seed", s) for s in range(3)]
    folders = {ended(p)[1].strip() for p in all_at_once}
    assert len(folders) == 3
    seeds = [
        yaml.safe_load((tmp_path / f / "config.yaml").read_text())["train"]["seed"] for f in folders
    ]
    assert sorted(seeds) == [0, 1, 2]


def test_only_one_process_trains_in_a_folder(tmp_path):
    folder = tmp_path / "run"
    started = partial(start, "mdlm", "train")
    first = started(*QUICK, "--steps", 100000, "--run", folder)
    wait_for(folder / "checkpoints" / "last.ckpt", first)
    for words in ([*QUICK, "--run", folder], ["--run", folder, "--resume"]):
        code, _, err = ended(started(*words))
        assert code == 1
        assert "error[X607]: another process is training in this folder" in err
    first.send_signal(signal.SIGTERM)
    assert ended(first)[0] == 143


SLURM = {
    "SLURM_NTASKS": "4",
    "SLURM_JOB_NAME": "job",
    "SLURM_JOB_ID": "12",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODELIST": "localhost",
}


@pytest.mark.parametrize(
    "left",
    shares(
        [
            SLURM,
            {"LOCAL_RANK": "1"},
            {"LOCAL_RANK": "0", "WORLD_SIZE": "4"},
            {"PL_GLOBAL_SEED": "7"},
        ],
        3,
    ),
)
def test_variables_of_a_scheduler_change_no_run(left, trained, tmp_path):
    """Nor does a checkpoint that Lightning saved for a requeued job of another run."""
    torch.save({"state_dict": {}, "global_step": 77}, tmp_path / "hpc_ckpt_1.ckpt")
    words = [*QUICK, "--steps", 20, "--run", tmp_path / "run"]
    code, _, err = ended(start("mdlm", "train", *words, cwd=tmp_path, **left))
    assert code == 0
    assert ("ignored from the environment" in err) == ("PL_GLOBAL_SEED" not in left)
    run("mdlm", "train", *QUICK, "--steps", 20, "--run", tmp_path / "plain")
    assert weights(tmp_path / "run") == weights(tmp_path / "plain")


def test_fewer_validation_batches_than_devices(tmp_path):
    words = [*QUICK, "--overfit", "--steps", 20, "--devices", 2, "--run", tmp_path / "run"]
    assert ended(start("mdlm", "train", *words))[0] == 0
    alone = [*QUICK, "--overfit", "--steps", 20, "--set", "train.accumulate=2"]
    run("mdlm", "train", *alone, "--run", tmp_path / "alone")
    of = [json.loads(x) for f in ("run", "alone") for x in (tmp_path / f / "metrics.jsonl").open()]
    losses = [x["loss"] for x in of if x["split"] == "val"]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_a_checkpoint_is_complete_or_the_previous_one(tmp_path, monkeypatch):
    """Killed in the midst of writing: the old one is there. TMPDIR is never used."""
    from xlm_spec.runtime.machine.files import WholeFiles

    file = tmp_path / "last.ckpt"
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    WholeFiles().save_checkpoint({"step": 1}, file)
    script = """if True:
        import os, sys, torch
        from xlm_spec.runtime.machine.files import WholeFiles
        whole = torch.save
        def killed(what, out):
            whole(what, out)
            out.truncate(100)
            os.kill(os.getpid(), 9)
        torch.save = killed
        WholeFiles().save_checkpoint({"step": 2}, sys.argv[1])
    """
    assert subprocess.run([sys.executable, "-c", script, str(file)]).returncode == -9
    assert torch.load(file, weights_only=True) == {"step": 1}
    WholeFiles().save_checkpoint({"step": 3}, file)
    assert torch.load(file, weights_only=True) == {"step": 3}
    assert os.listdir(tmp_path) == ["last.ckpt"]
