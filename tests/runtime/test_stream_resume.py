"""A run on a stream continues after a kill; its checkpoint has the positions of all processes."""

import os
import shutil
import signal
import subprocess
import time
from itertools import islice
from types import SimpleNamespace

import pytest
import torch
from methods import ROOT
from package_runs import lines, run, weights
from record_streams import batches, micro_batch, numbered_files, pairs_of_a_stream, stream, train
from warm_python import python

from xlm_spec.runtime.data.streams import (
    StreamBatches,
    later,
    positions_in,
)
from xlm_spec.runtime.loading.data_module import DataModule


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return numbered_files(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def stream_sets(tmp_path_factory):
    return pairs_of_a_stream(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def whole(stream_sets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    run("arlm", "train", *stream_sets, "--steps", 40, "--run", folder)
    return folder


def started(log, name, *words):
    """`python -m NAME ...` as a process of its own, its stderr in a file."""
    folders = os.pathsep.join([str(ROOT), str(ROOT / "generated" / name)])
    return subprocess.Popen(
        [python(), "-m", name, *map(str, words)],
        cwd=ROOT / "generated" / name,
        stdout=subprocess.DEVNULL,
        stderr=log.open("w"),
        env=os.environ | {"PYTHONPATH": folders},
    )


@pytest.mark.slow
def test_a_killed_run_continues_its_stream(stream_sets, whole, tmp_path):
    """kill -9 with two loading processes; the weights are those of a run without."""
    folder = tmp_path / "run"
    words = [*stream_sets, "--set", "data.workers=2", "--steps", 40, "--run", folder]
    pause = "import time, lightning.pytorch.callbacks as c\nclass Slow(c.Callback):\n"
    pause += "    def on_train_batch_end(self, *a): time.sleep(0.02)\n"
    (tmp_path / "slow.py").write_text(pause)
    words += ["--set", f"train.callbacks={tmp_path / 'slow.py'}:Slow"]
    log = tmp_path / "log"
    process = started(log, "arlm", "train", *words)
    while not (folder / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    time.sleep(0.1)  # some steps more, which are lost
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    step = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
    assert 0 < step < 40
    run("arlm", "train", "--run", folder, "--resume")
    assert lines(folder) == lines(whole)
    assert weights(folder) == weights(whole)


def positions_of_rank(rank, source, folder, steps):
    """A process of two: reads its part, and writes what its checkpoint would store."""
    place = f"file://{folder}/meeting"
    torch.distributed.init_process_group("gloo", init_method=place, rank=rank, world_size=2)
    module = SimpleNamespace(after={-1: {}}, stream=source, alone=False)
    module.trainer = SimpleNamespace(world_size=2, global_step=steps, global_rank=rank)
    module.positions = lambda step: DataModule.positions(module, step)
    data = StreamBatches(source, train(), 0, rank, 2, {}, micro_batch)
    for batch in islice(data, steps):
        DataModule.on_before_batch_transfer(module, batch, 0)
    (folder / f"{rank}.json").write_text(DataModule.state_dict(module)["positions"])


@pytest.mark.slow
@pytest.mark.parametrize("shards", [1, 2, 3])
def test_a_checkpoint_has_the_positions_of_all_processes(shards, files, tmp_path):
    source, steps = stream(files, shards), 7
    torch.multiprocessing.start_processes(
        positions_of_rank, (source, tmp_path, steps), nprocs=2, start_method="fork"
    )
    found = [positions_in((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert found[0] == found[1]
    alone = batches(source, 0, 1, 0, steps, accumulate=2)
    wanted: dict = {}
    for _, text in alone.values():
        wanted = later(wanted, positions_in(text))
    assert found[0] == wanted


def positions_of(folder):
    found = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return positions_in(found["DataModule"]["positions"])


@pytest.mark.slow
def test_a_checkpoint_has_the_position_of_each_logical_shard(whole):
    """Two files are two logical shards; each made every other one of 40 micro-batches."""
    assert {k: p.next for k, p in positions_of(whole).items()} == {0: 20, 1: 20}


@pytest.mark.slow
def test_a_stream_of_another_order_is_not_continued(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("buffer: 40", "buffer: 50"))
    done = run("arlm", "train", "--run", folder, "--resume", "--steps", 44, check=False)
    assert "error[X614]: the data have changed since this run began: train" in done.stderr
