"""Training runs: folders, repeated, killed and resumed runs, weights from a checkpoint."""

import json
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from methods import ROOT
from package_runs import TINY, lines, run, weights
from warm_python import python

pytestmark = pytest.mark.slow


def test_a_run_folder(trained):
    config = yaml.safe_load((trained / "config.yaml").read_text())
    assert config["package"] == "mdlm"
    assert config["task"] == "star_mini"
    assert config["size"] == "cpu"
    assert config["train"]["steps"] == 40
    assert config["backbone"]["layers"] == 1
    assert config["vocab"]["size"] == 16
    found = lines(trained)
    assert [x["step"] for x in found if x["split"] == "train"] == list(range(4, 41, 4))
    assert [x["step"] for x in found if x["split"] == "val"] == [8, 16, 24, 32, 40]
    scores = {"sequence_accuracy", "token_accuracy", "valid_path", "right_goal"}
    assert set(found[-1]) == {"step", "split", "loss", *scores}
    assert {p.name for p in (trained / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    answers = (trained / "predictions" / "val-0000040-0.jsonl").read_text().splitlines()
    assert len(answers) == 10
    assert set(json.loads(answers[0])) == {"prompt", "answer", "truth"}
    assert list((trained / "tensorboard").glob("events*"))


def test_the_config_repeats_the_run(trained, place):
    """Bit for bit."""
    again = place / "again"
    run("mdlm", "train", "--config", trained / "config.yaml", "--run", again)
    assert lines(again) == lines(trained)
    assert weights(again) == weights(trained)
    assert (again / "config.yaml").read_text() == (trained / "config.yaml").read_text()


def test_another_seed_gives_another_run(trained, place):
    other = place / "other"
    run("mdlm", "train", "--config", trained / "config.yaml", "--seed", 1, "--run", other)
    assert weights(other) != weights(trained)


@pytest.mark.parametrize("kill_at", [12, 28])
def test_a_killed_run_resumes_bit_for_bit(kill_at, trained, place):
    killed = place / f"killed-{kill_at}"
    command = [sys.executable, "-m", "mdlm", "train", "--config", trained / "config.yaml"]
    process = subprocess.Popen(
        [*command, "--run", killed],
        cwd=ROOT / "generated" / "mdlm",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = killed / "metrics.jsonl"
    while not (log.exists() and f'"step": {kill_at},' in log.read_text()):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "checkpoints" / "last.ckpt").exists() or lines(killed) != lines(trained)
    run("mdlm", "train", "--run", killed, "--resume")
    assert lines(killed) == lines(trained)
    assert weights(killed) == weights(trained)


def test_an_interrupted_run_says_how_to_continue(place):
    folder = place / "interrupted"
    process = subprocess.Popen(
        [python(), "-m", "mdlm", "train", *TINY, "--steps", "9000", "--run", folder],
        cwd=ROOT / "generated" / "mdlm",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell may ignore it
    )
    while not (folder / "metrics.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert f"continue with --run {folder} --resume" in output
    assert "Traceback" not in output


def test_a_run_killed_before_its_first_checkpoint_starts_again(trained, place):
    early = place / "early"
    early.mkdir()
    (early / "config.yaml").write_text((trained / "config.yaml").read_text())
    (early / "metrics.jsonl").write_text('{"step": 4, "split": "train", "seconds": 1.0}\n')
    run("mdlm", "train", "--run", early, "--resume")
    assert lines(early) == lines(trained)
    assert weights(early) == weights(trained)
    done = run("mdlm", "train", "--run", early, "--resume")  # once more, with nothing left to do
    assert "finished" in done.stderr
    assert lines(early) == lines(trained)


def test_mixed_precision_takes_a_step(place):
    sets = ["--set", "train.precision=bf16-mixed", "--steps", 2]
    run("mdlm", "train", *TINY, *sets, "--run", place / "bf16")


def test_two_processes_train_one_model(place):
    """Gloo on the CPU; --minutes and the folder are settled by the first process."""
    folder = place / "two"
    command = [python(), "-m", "arlm", "train", *TINY, "--minutes", "0.01", "--devices", "2"]
    done = subprocess.run(
        [*command, "--run", str(folder)],
        cwd=ROOT / "generated" / "arlm",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder)
    steps = yaml.safe_load((folder / "config.yaml").read_text())["train"]["steps"]
    assert max(line["step"] for line in lines(folder)) == steps


def test_an_incomplete_line_is_removed(trained, tmp_path):
    from xlm_spec.runtime.training.jsonl_logger import cut

    log = tmp_path / "metrics.jsonl"
    whole = (trained / "metrics.jsonl").read_text()
    log.write_text(whole + '{"step": 41, "spl')
    assert cut(log, 16) > 0
    kept = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert max(kept) == 16


def test_micro_batches_equal_one_batch(trained, place):
    """Weights after accumulating two half batches: equal to rounding (dropout off, noise aside).

    Noise differs by micro-batch, so the autoregressive objective, which has none, is compared.
    """
    folders = [place / "whole", place / "halves"]
    for folder, n in zip(folders, (1, 2), strict=True):
        sets = ["--set", f"train.accumulate={n}", "--steps", 6]
        run("arlm", "train", *TINY, *sets, "--run", folder)
    found = [
        torch.load(f / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for f in folders
    ]
    for key in found[0]:
        assert torch.allclose(found[0][key], found[1][key], atol=1e-4), key


def test_training_can_start_from_a_checkpoint(trained, place):
    folder = place / "init"
    best = trained / "checkpoints" / "best.ckpt"
    run("mdlm", "train", *TINY, "--steps", 4, "--init", best, "--run", folder)
    first = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    begun = torch.load(best, weights_only=True)["state_dict"]
    change = max(float((first[k] - begun[k]).abs().max()) for k in begun)
    assert change < 0.05  # a fresh start would differ by the size of the weights
    again = place / "init-again"
    run("mdlm", "train", "--config", folder / "config.yaml", "--run", again)
    assert weights(again) == weights(folder)
    killed = place / "init-killed"  # before its first checkpoint
    killed.mkdir()
    (killed / "config.yaml").write_text((folder / "config.yaml").read_text())
    run("mdlm", "train", "--run", killed, "--resume")
    assert weights(killed) == weights(folder)


def test_training_can_start_from_a_plain_state_dict(trained, place):
    """That of the backbone, as another library would save it."""
    best = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    begun = {k.removeprefix("model.backbone."): v for k, v in best.items() if "backbone." in k}
    torch.save(begun, place / "plain.pt")
    folder = place / "init-plain"
    done = run("mdlm", "train", *TINY, "--steps", 4, "--init", place / "plain.pt", "--run", folder)
    assert f"plain.pt: {len(begun)} of {len(best)} tensors of the model loaded" in done.stderr
    assert "newly initialised: token_logits" in done.stderr
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    change = (float((last[f"model.backbone.{k}"] - v).abs().max()) for k, v in begun.items())
    assert max(change) < 0.05


def test_overfit_learns_one_batch(place):
    folder = place / "overfit"
    run("arlm", "train", *TINY, "--overfit", "--steps", 60, "--run", folder)
    losses = [x["loss"] for x in lines(folder) if x["split"] == "train"]
    assert losses[-1] < 0.75 * losses[0]


def test_minutes_are_recorded_as_a_number_of_steps(place):
    folder = place / "minutes"
    done = run("arlm", "train", *TINY, "--minutes", 0.02, "--run", folder)
    steps = yaml.safe_load((folder / "config.yaml").read_text())["train"]["steps"]
    assert f"{steps} steps" in done.stderr
    assert max(x["step"] for x in lines(folder)) == steps
