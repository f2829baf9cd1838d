"""The arguments of `compare`."""

from dataclasses import dataclass
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed

COMPARE_FLAGS = {"data.task": "--task", "train.steps": "--steps", "train.seed": "--seeds"}


@dataclass(frozen=True)
class Budget:
    """The budget per run in `minutes`, `steps` or `flops`; `own`: the steps of the size."""

    unit: str = "own"
    amount: float = 0

    def __str__(self) -> str:
        return "the steps of the size" if self.unit == "own" else f"{self.amount:g} {self.unit}"


@dataclass(frozen=True)
class Request:
    """Several specs, one task, the same budget for each spec, several seeds."""

    specs: tuple[str, ...]
    task: str
    size: str = "cpu"
    budget: Budget = Budget()
    seeds: int = 1
    sets: tuple[str, ...] = ()
    jobs: int = 1
    out: Path = Path("comparison")
    judge: str = ""  # of samples of text; "": none

    def __post_init__(self) -> None:
        """Raises Failed (X805) if a `--set` changes a setting that has a flag of `compare`."""
        for flag in (COMPARE_FLAGS.get(s.partition("=")[0].strip()) for s in self.sets):
            if flag:
                message = f"`--set` cannot change this setting in `compare`: use {flag}"
                raise Failed(Diagnostic("X805", message))
