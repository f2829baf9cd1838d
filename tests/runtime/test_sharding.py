"""Strategies and numbers of devices: a checkpoint of one continues with any other."""

import pytest
import torch
import yaml
from methods import ROOT
from package_runs import lines, run
from process_pairs import two_commands

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.machine import shards
from xlm_spec.runtime.training.saving import newest
from xlm_spec.runtime.weights import checkpoint

SETS = [
    *("--task", str(ROOT / "tests" / "tiny_task.py"), "--size", "cpu"),
    *("--set", "backbone.layers=2", "--set", "backbone.width=16", "--set", "backbone.heads=2"),
    *("--set", "train.batch=8", "--set", "train.sample_examples=0", "--set", "train.log_every=1"),
    *("--set", "train.loggers=[]", "--set", "train.lr_schedule=constant"),
    *("--set", "train.warmup=0", "--set", "train.evaluate_every=3", "--set", "train.ema=0.9"),
]


def two(*words):
    """Two processes, gloo on the CPU."""
    for code, errors in two_commands("arlm", "train", *words):
        assert code == 0, errors


def last(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


@pytest.mark.slow
def test_a_run_continues_with_other_devices_and_strategies(tmp_path):
    """One process; ddp in two; one; fsdp2 in two, sharded, then not; one. Equal to one to 1e-5.

    The method draws no noise, so that its micro-batches do not matter.
    """
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run("arlm", "train", *SETS, "--steps", 21, "--run", whole)
    run("arlm", "train", *SETS, "--steps", 3, "--run", parts)
    resume = ["--run", parts, "--resume"]
    two(*resume, "--steps", 6)
    run("arlm", "train", *resume, "--steps", 9)
    two(*resume, "--strategy", "fsdp2", "--steps", 12)
    sharded = last(parts)
    shard(parts)
    two(*resume, "--steps", 15)
    two(*resume, "--steps", 18)
    require_usable(parts / "checkpoints" / "last.ckpt", tmp_path / "export")
    run("arlm", "train", *resume, "--strategy", "ddp", "--steps", 21)
    a, b = last(whole), last(parts)
    for part in ("state_dict", "current_model_state"):
        assert a[part].keys() == b[part].keys() == sharded[part].keys()
        assert all(torch.allclose(v, b[part][k], atol=1e-5) for k, v in a[part].items())
        assert not all(torch.allclose(v, sharded[part][k], atol=1e-5) for k, v in a[part].items())
    [a], [b] = a["optimizer_states"], b["optimizer_states"]
    assert a["state"].keys() == b["state"].keys()
    for i, moments in a["state"].items():
        assert all(torch.allclose(v, b["state"][i][k], atol=1e-5) for k, v in moments.items())
    assert not [*(parts / "checkpoints").glob("*.old")]


def require_usable(file, to):
    """A sharded checkpoint is evaluated and exported, but not read with `--checkpoint`."""
    assert shards.is_sharded(file)
    run("arlm", "eval", "--run", file, "--limit", 2)
    run("arlm", "export", "--run", file, "--to", to)
    weights = checkpoint.load_own(file, "state_dict")["state_dict"]
    exported = checkpoint.load(to)["state_dict"]
    assert exported.keys() == weights.keys()
    assert all(torch.equal(v, weights[k]) for k, v in exported.items())
    done = run("arlm", "eval", "--checkpoint", file, check=False)
    assert "error[X701]: a sharded checkpoint may execute code when it is read" in done.stderr


def shard(folder):
    """From now on the checkpoints of a run are sharded."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["train"]["strategy"] = {"kind": "fsdp2", "sharded_checkpoints": True}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def saved(folder, step):
    state = {"state": {0: {"step": torch.tensor(3.0), "moment": torch.rand(2)}}, "param_groups": []}
    content = {"state_dict": {"model.a": torch.rand(2, 3)}, "current_model_state": {}}
    content |= {"optimizer_states": [state], "global_step": step, "xlm_spec": {"vocab": {}}}
    folder.mkdir(parents=True)
    shards.save(folder, content, first=True)
    return content


def test_a_sharded_checkpoint_has_the_content_of_a_file(tmp_path):
    content = saved(tmp_path / "a.ckpt", 4)
    found = shards.read(tmp_path / "a.ckpt", *shards.PARTS)
    found.pop(shards.PLACES)
    torch.testing.assert_close(found, content, rtol=0, atol=0)
    part = shards.read(tmp_path / "a.ckpt", "state_dict")
    assert part["optimizer_states"][0]["state"] == {0: {"step": None, "moment": None}}
    assert torch.equal(part["state_dict"]["model.a"], content["state_dict"]["model.a"])


def test_a_damaged_sharded_checkpoint_is_not_used(tmp_path, capsys):
    saved(tmp_path / "last.ckpt.old", 2)  # the process was killed when it replaced last.ckpt
    saved(tmp_path / "step-0000003.ckpt", 3)
    assert newest(tmp_path).name == "step-0000003.ckpt"
    [data] = (tmp_path / "step-0000003.ckpt").glob("*.distcp")
    data.write_bytes(data.read_bytes()[:-1])
    assert newest(tmp_path).name == "last.ckpt.old"
    assert "warning: cannot read" in capsys.readouterr().err
    (tmp_path / "last.ckpt.old" / "rest.pt").unlink()
    assert newest(tmp_path).name == "step-0000003.ckpt"
    with pytest.raises(Failed, match=r"__0_0.distcp is incomplete"):
        checkpoint.load_own(tmp_path / "step-0000003.ckpt")


FAILS = """
import os
import signal

from lightning.pytorch.callbacks import Callback


class Fails(Callback):
    def on_before_backward(self, trainer, *_):
        if RANK == trainer.global_rank == 1 and trainer.global_step == 7:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_validation_batch_start(self, trainer, *_):
        if RANK == trainer.global_rank == 0 and trainer.global_step == 6:
            raise ValueError("as asked")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("rank", "step"), [(1, 7), (0, 6)])
def test_if_one_of_two_processes_fails_the_first_one_saves(rank, step, tmp_path):
    """The second is killed within a step, or the first fails in validation. It continues."""
    file, folder = tmp_path / "fails.py", tmp_path / "run"
    words = [*SETS, "--steps", 9, "--set", f"train.callbacks=[{file}:Fails]"]
    file.write_text(FAILS.replace("RANK", str(rank)))
    (code, errors), _ = two_commands("arlm", "train", *words, "--run", folder)
    assert code == 1
    assert f"saved step {step} as {folder / 'checkpoints' / 'exception.ckpt'}" in errors
    assert ("error[X615]" in errors) == (rank == 1)
    file.write_text(FAILS.replace("RANK", "-1"))
    run("arlm", "train", "--run", folder, "--resume")
    run("arlm", "train", *words, "--run", tmp_path / "whole")
    a, b = last(folder), last(tmp_path / "whole")
    assert all(torch.allclose(v, b["state_dict"][k], atol=1e-5) for k, v in a["state_dict"].items())
    assert [x["step"] for x in lines(folder)] == [x["step"] for x in lines(tmp_path / "whole")]
