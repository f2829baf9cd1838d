"""Settings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Data:
    task: str = "star_easy"


@dataclass(frozen=True)
class Train:
    batch: int = 64
    steps: int = 10
    lr: float = 1e-4
    ema: float = 0.99
