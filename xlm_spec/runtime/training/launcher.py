"""How a run on several devices starts its processes, and how it ends if one of them fails."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers.subprocess_script import _SubprocessScriptLauncher

from xlm_spec.diagnostics import Diagnostic, wants_colour
from xlm_spec.interrupts import held

GRACE = 10.0  # seconds in which the first process may end by itself
ENDED = (0, 128 + signal.SIGINT, 128 + signal.SIGTERM)  # exit codes of workers that did not fail


class Processes(DDPStrategy):
    """DDP with one process for each device; they end together."""

    def _configure_launcher(self) -> None:
        assert self.cluster_environment is not None
        self._launcher = Launcher(self.cluster_environment, self.num_processes, self.num_nodes)


class Launcher(_SubprocessScriptLauncher):
    """Starts the workers. Ctrl-C and SIGTERM reach them once they can end after a whole batch.

    Lightning's own launcher kills the first process without a message if a worker fails.
    """

    def launch(self, function: Callable, *args: Any, trainer: Any = None, **kwargs: Any) -> Any:
        if not self.cluster_environment.creates_processes_externally:
            with held(signal.SIGINT, signal.SIGTERM):
                self._call_children_scripts()
            threading.Thread(target=end_with, args=(self.procs,), daemon=True).start()
        return function(*args, **kwargs)


def end_with(workers: list[subprocess.Popen]) -> None:
    """Ends this process, and the other workers, some time after one of them has failed."""
    while all(worker.poll() in (None, *ENDED) for worker in workers):
        time.sleep(1)
    time.sleep(GRACE)  # usually the connection is lost, and `train` reports that
    for worker in workers:
        worker.kill()
    message = "another process of the run has ended"
    diagnostic = Diagnostic("X615", message, "its own message is above; --resume continues the run")
    print(diagnostic.text(wants_colour(sys.stderr)), file=sys.stderr, flush=True)
    os._exit(1)
