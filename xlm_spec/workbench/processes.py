"""Commands of packages, each in a process of its own, with stderr in a log."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock


class Processes:
    """Runs commands with `threads` threads each; `stop` ends running ones and prevents new ones.

    `shown`: their stderr is shown instead of logged. `inherited`: a file descriptor that they keep
    open, whose lock shows that a process is still running.
    """

    def __init__(
        self,
        threads: int,
        inherited: int | None = None,
        shown: bool = False,
        environment: Mapping[str, str] = {},
    ):
        self.environment = (
            os.environ
            | dict(environment)
            | {
                "OMP_NUM_THREADS": str(threads),
                "PYTHONIOENCODING": "utf-8",  # as read below
            }
        )
        self.environment.pop("PYTHONSAFEPATH", None)  # packages are run from their folders
        self.threads, self.inherited, self.shown = threads, inherited, shown
        self.running: set[subprocess.Popen] = set()
        self.lock, self.stopped = Lock(), False

    def run(self, words: Sequence[object], folder: Path, log: Path | None) -> tuple[int, str]:
        """`python -m ...` in a folder: exit code and stdout."""
        command = [sys.executable, "-m", *map(str, words)]
        inherited = [self.inherited] if self.inherited is not None and os.name == "posix" else []
        with (log or Path(os.devnull)).open("a", encoding="utf-8") as errors:
            with self.lock:
                if self.stopped:
                    return -1, ""
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=self.environment,
                    pass_fds=inherited,
                    stdout=subprocess.PIPE,
                    stderr=None if self.shown else errors,
                    encoding="utf-8",
                    errors="replace",
                )
                self.running.add(process)
            out, _ = process.communicate()
        with self.lock:
            self.running.discard(process)
        return process.returncode, out

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.terminate()
