"""What is asked of `compare`."""

from dataclasses import dataclass
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed

OWN = {"data.task": "--task", "train.steps": "--steps", "train.seed": "--seeds"}


@dataclass(frozen=True)
class Budget:
    """Of each training run: so many `minutes`, `steps` or `flops`; `own`: the size's steps."""

    unit: str = "own"
    amount: float = 0

    def __str__(self) -> str:
        return "the size's own steps" if self.unit == "own" else f"{self.amount:g} {self.unit}"


@dataclass(frozen=True)
class Request:
    """Several specs, one task, the same budget for each, several seeds."""

    specs: tuple[str, ...]
    task: str
    size: str = "cpu"
    budget: Budget = Budget()
    seeds: int = 1
    sets: tuple[str, ...] = ()
    jobs: int = 1
    out: Path = Path("comparison")

    def __post_init__(self) -> None:
        """Raises Failed (X805) where a `--set` gives what a flag of `compare` gives."""
        for flag in (OWN.get(s.partition("=")[0].strip()) for s in self.sets):
            if flag:
                told = f"`--set` cannot give what `compare` gives every run: it is {flag}"
                raise Failed(Diagnostic("X805", told))
