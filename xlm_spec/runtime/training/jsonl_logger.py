"""metrics.jsonl: one JSON object per line; a resumed run repeats no line."""

import json
import time
from pathlib import Path

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from xlm_spec.runtime.machine.environment import is_worker


class JsonLines(Logger):
    """Lines {step, split, seconds, ...}; the split of a loader with a name is `val/NAME`.

    A resumed run drops the lines after step `resume_at`.
    """

    def __init__(self, file: Path, resume_at: int | None = None):
        super().__init__()
        self.file, self.offset = file, 0.0
        if resume_at is not None and not is_worker():
            self.offset = cut(file, resume_at)
        self.begun = time.perf_counter()

    @property
    def name(self) -> str:
        return "metrics"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        seconds = round(time.perf_counter() - self.begun + self.offset, 3)
        by_split: dict[str, dict[str, float]] = {}
        for key, value in metrics.items():
            split, slash, name = key.rpartition("/")
            if slash:
                by_split.setdefault(split, {})[name] = value
        with self.file.open("a", encoding="utf-8", newline="\n") as out:
            for split, values in by_split.items():
                line = {"step": int(step or 0), "split": split, "seconds": seconds, **values}
                out.write(json.dumps(line) + "\n")

    @rank_zero_only
    def log_hyperparams(self, *args, **kwargs) -> None:
        """Does nothing: config.yaml holds them."""


def cut(file: Path, step: int) -> float:
    """Removes incomplete lines and those after a step; returns the seconds of the last line."""
    if not file.exists():
        return 0.0
    kept = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:  # the run was killed while it wrote this line
            break
        if record["step"] <= step:
            kept.append(record)
    part = file.with_suffix(".part")
    part.write_text("".join(json.dumps(k) + "\n" for k in kept), encoding="utf-8", newline="\n")
    part.replace(file)
    return max((k["seconds"] for k in kept), default=0.0)
