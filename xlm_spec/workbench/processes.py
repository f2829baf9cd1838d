"""Commands of packages, each a process; what they say goes to a log."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock


class Processes:
    """Starts them with so many threads each; `stop` ends those that run, and no more will start.

    `shown`: what they say goes to stderr instead of the log. `inherited` is a file that they keep
    open: it tells that one of them is still at work when nobody waits for it any more.
    """

    def __init__(self, threads: int, inherited: int | None = None, shown: bool = False):
        self.environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        self.threads, self.inherited, self.shown = threads, inherited, shown
        self.running: set[subprocess.Popen] = set()
        self.lock, self.stopped = Lock(), False

    def run(self, words: Sequence[object], folder: Path, log: Path | None) -> tuple[int, str]:
        """`python -m ...` in a folder: exit code and stdout."""
        command = [sys.executable, "-m", *map(str, words)]
        kept = [self.inherited] if self.inherited is not None and os.name == "posix" else []
        with (log or Path(os.devnull)).open("a", encoding="utf-8") as errors:
            with self.lock:
                if self.stopped:
                    return -1, ""
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=self.environment,
                    pass_fds=kept,
                    stdout=subprocess.PIPE,
                    stderr=None if self.shown else errors,
                    encoding="utf-8",
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
