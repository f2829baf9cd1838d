"""Odd paths and names, environments, full disks: one diagnostic and no traceback."""

import os
import subprocess
import sys

import pytest
import torch
from methods import ROOT, text
from package_runs import TINY, run
from warm_python import python

from xlm_spec.compiler.build import build

pytestmark = pytest.mark.slow
QUICK = [*TINY, "--set", "train.batch=16", "--steps", "2"]
NO_ROOT = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
NO_ROOT += ["--inh-caps", "-dac_override,-dac_read_search"]


def command(*words, before=(), interpreter=sys.executable, **environment):
    """A package's command as its own process."""
    env = os.environ | {"PYTHONPATH": str(ROOT / "generated" / "mdlm")} | environment
    done = subprocess.run(
        [*before, interpreter, "-m", "mdlm", *map(str, words)],
        cwd=ROOT / "generated" / "mdlm",
        capture_output=True,
        env=env,
        timeout=120,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def test_a_run_folder_that_cannot_be_written(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(0o555)
    as_anybody = NO_ROOT if os.getuid() == 0 else []
    done = command("train", *QUICK, "--run", folder, before=as_anybody)
    assert done.returncode == 1
    assert b"error[X609]" in done.stderr
    assert b"Permission denied" in done.stderr


@pytest.mark.parametrize(
    "name", ["x" * 300, "file/run", "nul\udcffl"], ids=["long", "below a file", "not UTF-8"]
)
def test_odd_names_of_a_run_folder(name, tmp_path):
    (tmp_path / "file").write_text("")
    folder = os.fsencode(f"{tmp_path}/{name}").decode("latin1")
    done = command("train", *QUICK, "--run", folder, interpreter=python())
    odd = name.startswith("nul")
    assert (done.returncode == 0) == odd
    assert (b"error[X609]" in done.stderr) != odd


@pytest.mark.parametrize("flag", ["--run", "--config", "--init", "--task", "--size"])
def test_an_empty_name_is_a_usage_error(flag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("mdlm", "train", *QUICK, flag, "", check=False)
    assert done.returncode == 2
    assert "is empty" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_full_disk(tmp_path):
    """A file system of 300 KB: the checkpoint does not fit."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount")
    try:
        done = command("train", *QUICK, "--run", place / "run", interpreter=python())
    finally:
        subprocess.run(["umount", str(place)], check=True)
    assert done.returncode == 1
    assert b"error[X609]" in done.stderr or b"error[X611]" in done.stderr
    assert b"No space left" in done.stderr


def test_texts_that_stdout_cannot_encode(trained, tmp_path):
    environment = {"PYTHONIOENCODING": "cp1252"}
    done = command("train", *QUICK, "--run", tmp_path / "läuf-漢", **environment)
    assert done.returncode == 0
    assert done.stdout.decode("cp1252").strip().endswith("läuf-\\u6f22")


def test_no_compiler_for_torch_compile(tmp_path):
    sets = ["--set", "train.compile=true"]
    words = [*QUICK, *sets, "--run", tmp_path / "run"]
    done = command("train", *words, CXX="/nonexistent", TORCHINDUCTOR_CACHE_DIR=str(tmp_path / "c"))
    assert done.returncode == 1
    assert b"error[X613]: torch.compile failed" in done.stderr


def test_not_enough_memory(monkeypatch, tmp_path):
    """What torch raises on the CPU and on CUDA; control: another error of torch stays one."""
    from xlm_spec.runtime.main import machine_error
    from xlm_spec.runtime.training.harness import Harness

    def refused(*_):
        return torch.empty(2**60)

    monkeypatch.setattr(Harness, "training_step", refused)
    done = run("mdlm", "train", *QUICK, "--run", tmp_path / "run", check=False)
    assert done.returncode == 1
    assert "error[X612]: not enough memory" in done.stderr
    assert machine_error(torch.OutOfMemoryError("CUDA out of memory.")).code == "X612"
    assert machine_error(RuntimeError("shapes cannot be multiplied")) is None


def test_an_empty_checkpoint(tmp_path):
    (tmp_path / "empty.ckpt").touch()
    done = run("mdlm", "eval", "--checkpoint", tmp_path / "empty.ckpt", check=False)
    assert "error[X701]" in done.stderr


def test_evaluation_batches_fit_any_vocabulary():
    from types import SimpleNamespace

    from xlm_spec.runtime.config.settings import Train
    from xlm_spec.runtime.loading.data_module import EVAL_LOGITS, eval_batch_size

    def of(room, size, **train):
        run = SimpleNamespace(
            train=Train(**train), config=SimpleNamespace(vocab=SimpleNamespace(size=size))
        )
        return eval_batch_size(run, SimpleNamespace(max_length=room))

    assert of(30, 15) == 250
    assert of(129, 30_004) * 129 * 30_004 <= EVAL_LOGITS
    assert of(4096, 200_000) == 1
    assert of(4096, 200_000, evaluate_batch=16) == 16


def test_an_exception_in_the_code_of_a_package_is_one_diagnostic_at_its_line(tmp_path):
    """Control: an exception in the library is none of the package."""
    from xlm_spec.runtime.package_errors import package_error

    (tmp_path / "mine.yaml").write_text(text(name="mine"))
    folder = build(tmp_path / "mine.yaml", tmp_path).folder
    loss = folder / "mine" / "loss.py"
    loss.write_text(loss.read_text().replace("return scatter(nats,", "return scattered(nats,"))
    words = ["train", "--task", "star_mini", "--size", "cpu", "--steps", "1"]
    done = subprocess.run(
        [python(), "-m", "mine", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error[X621]: `cross_entropy` raises NameError: name 'scattered'" in done.stderr
    assert "loss.py:" in done.stderr
    assert "return scattered(nats," in done.stderr
    assert "= help: called in objective.py:" in done.stderr
    with pytest.raises(AttributeError) as raised:
        package_error(None, folder)
    assert package_error(raised.value, folder) is None
