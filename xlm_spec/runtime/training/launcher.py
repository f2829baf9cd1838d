"""How a run on several devices starts its processes, and how it ends if one of them fails."""

import signal
import threading
from collections.abc import Callable
from typing import Any

from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers.subprocess_script import _SubprocessScriptLauncher

from xlm_spec.interrupts import held
from xlm_spec.runtime.machine.processes import STOPPED, end_with


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
            given = self.procs, threading.Event(), STOPPED, "--resume continues the run"
            threading.Thread(target=end_with, args=given, daemon=True).start()
        return function(*args, **kwargs)
