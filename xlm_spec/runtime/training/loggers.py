"""Loggers by name. Each gets the run folder; metrics.jsonl is written besides."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.machine.extras import require


def tensorboard(
    folder: Path,
    *,
    name: str = "tensorboard",  # folder in the run folder
) -> Logger:
    """Event files in the folder `tensorboard` of the run."""
    return TensorBoardLogger(str(folder), name=name, version="", sub_dir=None)


def csv(
    folder: Path,
    *,
    name: str = "csv",  # folder in the run folder
    flush: int = 1,  # lines between two writes; in [1, inf)
) -> Logger:
    """`csv/metrics.csv` in the run folder, written after every `flush` lines."""
    return CSVLogger(str(folder), name=name, version="", flush_logs_every_n_steps=flush)


def wandb(folder: Path, *, project: str = "xlm-spec", name: str = "", **options: Any) -> Logger:
    """Weights & Biases; `offline: true` writes into the run folder only.

    Further options are those of Lightning's logger and of `wandb.init`. Raises Failed: X508, X602.
    """
    require_options("wandb", options, require("wandb", "this logger").init, WandbLogger)
    name = name or folder.resolve().name
    return OneRun(name=name, save_dir=str(folder), project=project, **options)


class OneRun(WandbLogger):
    """Ends the run of wandb with ours; the next one in this process would write into it."""

    @rank_zero_only
    def finalize(self, status: str) -> None:
        super().finalize(status)
        if self._experiment is not None:
            self._experiment.finish()
            self._experiment = None


class Trackio(Logger):
    """Trackio, which stores a run on this machine. Options are those of `trackio.init`.

    Raises Failed: X508, X602.
    """

    def __init__(self, folder: Path, *, project: str = "xlm-spec", name: str = "", **options: Any):
        super().__init__()
        self.trackio = require("trackio", "this logger")
        require_options("trackio", options, self.trackio.init)
        self.project, self.options = project, options
        self.run_name = name or folder.resolve().name
        self.run: Any = None

    @property
    def name(self) -> str:
        return self.project

    @property
    def version(self) -> str:
        return self.run_name

    def start(self) -> None:
        if self.run is None:
            given = {"project": self.project, "name": self.run_name, **self.options}
            self.run = self.trackio.init(**given)

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.start()
        self.trackio.log(metrics, step=step)

    @rank_zero_only
    def log_text(self, key: str, columns: list[str], data: list[list[str]], step: int) -> None:
        """A table of texts, as the loggers of Lightning log it."""
        frame = require("pandas", "a table in trackio", "trackio").DataFrame(data, columns=columns)
        self.start()
        table = self.trackio.Table(dataframe=frame)
        self.trackio.log({key: table}, step=step)

    @rank_zero_only
    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: config.yaml holds them."""

    @rank_zero_only
    def finalize(self, status: str) -> None:
        if self.run is not None:
            self.trackio.finish()
            self.run = None


def require_options(logger: str, options: Mapping[str, Any], *takers: Callable) -> None:
    """Raises Failed (X602) for an option that none of these functions takes by its name."""
    known = {name for taker in takers for name in inspect.signature(taker).parameters}
    unknown = [k for k in options if k not in known]
    if unknown:
        message = f"`{logger}` has no option `{unknown[0]}`: `train.loggers`"
        raise Failed(Diagnostic("X602", message, alternatives(unknown[0], sorted(known))))
