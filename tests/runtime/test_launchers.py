"""The SLURM script of the guide, with stand-ins for srun and scontrol."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from code_blocks import blocks
from methods import ROOT
from package_runs import run
from test_sharding import SETS

GUIDE = (ROOT / "docs" / "guides" / "several-devices.md").read_text()
SRUN = f"""#!{sys.executable}
import os, signal, subprocess, sys
from pathlib import Path

def task(i):
    own = {{"SLURM_PROCID": str(i), "SLURM_LOCALID": str(i), "SLURM_NODEID": "0"}}
    return subprocess.Popen(sys.argv[1:], env=os.environ | own)

tasks = [task(i) for i in range(2)]
signal.signal(signal.SIGTERM, lambda *_: [t.terminate() for t in tasks])
Path("srun.pid").write_text(str(os.getpid()))
sys.exit(max(t.wait() for t in tasks))
"""
JOB = {
    **{"SLURM_NNODES": "1", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NTASKS": "2"},
    **{"SLURM_JOB_ID": "4711", "SLURM_NODELIST": "localhost", "SLURM_JOB_NAME": "arlm"},
}


def steps(folder):
    file = folder / "metrics.jsonl"
    text = file.read_text() if file.exists() else ""
    return [json.loads(x)["step"] for x in text.splitlines() if '"train"' in x]


@pytest.mark.slow
def test_a_job_of_slurm_is_requeued_and_continues(tmp_path):
    [script] = [b for b in blocks(GUIDE, "bash") if "SBATCH" in b]
    script = script.replace("digits", "arlm").replace("../../runs/slurm", str(tmp_path / "run"))
    words = " ".join(SETS).replace("[]", "'[]'")
    (tmp_path / "job").write_text(script.replace("--steps", f"{words} --steps"))
    for name, text in (("srun", SRUN), ("scontrol", '#!/bin/sh\necho "$@" >> requeued\n')):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.path.dirname(sys.executable), os.environ["PATH"]])
    packages = os.pathsep.join([str(ROOT / "generated" / "arlm"), str(ROOT)])
    env = os.environ | JOB | {"PATH": path, "PYTHONPATH": packages}
    reached = 0
    for _ in range(2):
        job = subprocess.Popen(
            ["bash", "job"], cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True
        )
        while max(steps(tmp_path / "run"), default=0) < reached + 4:
            assert job.poll() is None, job.communicate()
            time.sleep(0.05)
        os.kill(int((tmp_path / "srun.pid").read_text()), signal.SIGTERM)
        errors = job.communicate(timeout=60)[1]
        assert job.returncode == 143, errors
        assert "Traceback" not in errors
        reached = max(steps(tmp_path / "run"))
    assert (tmp_path / "requeued").read_text() == "requeue 4711\n" * 2
    assert steps(tmp_path / "run") == [*range(1, reached + 1)]  # each once: it continued


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nodes", "1", "--run", "r"], "requires a launcher"),
        (["--nodes", "1"], "requires --run"),
        (["--nodes", "0", "--run", "r"], "above 0"),
        (["--strategy", "fsdp3"], "did you mean `fsdp2`?"),
    ],
)
def test_wrong_flags_are_one_diagnostic(words, message):
    done = run("arlm", "train", *SETS, *words, check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == done.stderr.count("error[X602]") == 1
    assert message in done.stderr


def test_a_launcher_with_another_number_of_processes(monkeypatch):
    from xlm_spec.diagnostics import Failed
    from xlm_spec.runtime.machine import environment

    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "8")
    with pytest.raises(Failed, match="require 4 processes, but SLURM has started 8"):
        environment.join(2, 2)
    assert environment.launcher() == ""
