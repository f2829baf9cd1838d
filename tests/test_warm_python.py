"""A command of warm_python.py behaves as one of a new interpreter."""

import os
import signal
import subprocess
import sys
import time

import pytest
from warm_python import python

pytestmark = pytest.mark.slow
ENDS = {
    "arguments": ["-c", "import sys; print(sys.argv)", "a b", "--c", ""],
    "path of code": ["-c", "import sys; print(sys.path[:2])"],
    "path of a module": ["-m", "where"],
    "path of a script": ["where.py", "x"],
    "streams": ["-c", "import sys; print(sys.stdin.read(), end=''); print('ä', file=sys.stderr)"],
    "encoding": ["-c", "print('ä', ascii('ä')); print(chr(0x6F22))"],
    "parent": ["-c", "import os; print(os.getppid())"],
    "environment": ["-c", "import os; print(os.getcwd(), sorted(os.environ))"],
    "threads": ["-c", "import torch; print(torch.get_num_threads())"],
    "exit code": ["-c", "raise SystemExit(7)"],
    "message": ["-c", "raise SystemExit('no such luck')"],
    "no module": ["-m", "nowhere"],
    "abort": ["-c", "import os; os.abort()"],
    "thread": ["-c", "import threading; threading.Timer(0.1, print, 'x').start()"],
    "at exit": ["-c", "import atexit; atexit.register(print, 'x')"],
    "option": ["--version"],
}


@pytest.mark.parametrize("words", ENDS.values(), ids=list(ENDS))
def test_a_command_ends_as_in_a_new_interpreter(words, tmp_path):
    (tmp_path / "where.py").write_text("import sys; print(__name__, sys.argv, sys.path[:2])\n")
    more = {"PYTHONPATH": "/x", "PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1"}
    ends = []
    for interpreter in (sys.executable, python()):
        done = subprocess.run(
            [interpreter, *words],
            input="ö\n".encode("cp1252"),
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | more,
        )
        last = done.stderr.splitlines()[-1:]
        ends.append((done.returncode, done.stdout, [x.split(b": ")[-1] for x in last]))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_its_process(number):
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([python(), "-c", script], **pipes) as process:
        pid = int(process.stdout.readline())
        process.send_signal(number)
        assert process.wait(timeout=60) == -number
    until = time.monotonic() + 60
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < until
        time.sleep(0.01)
