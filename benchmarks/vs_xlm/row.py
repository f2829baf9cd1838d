"""A row of the comparison: the measurements of both sides in each round."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    what: str
    unit: str
    ours: Sequence[float]
    peer: Sequence[float]
    goal: float = 0.0  # minimum ratio; 0: no goal
    more_is_better: bool = False

    @property
    def ratios(self) -> list[float]:
        """How many times better xlm-spec is, in each round."""
        pairs = zip(self.ours, self.peer, strict=True)
        return [o / p if self.more_is_better else p / o for o, p in pairs]

    @property
    def cells(self) -> dict[str, str]:
        met = "yes" if statistics.median(self.ratios) >= self.goal else "no"
        return {
            "what": self.what,
            "unit": self.unit,
            "ours": spread(self.ours),
            "peer": spread(self.peer),
            "ratio": spread(self.ratios),
            "goal": f"{self.goal:g}" if self.goal else "",
            "met": met if self.goal else "",
        }


def spread(values: Sequence[float]) -> str:
    """Median (lowest to highest), three digits each."""
    parts = statistics.median(values), min(values), max(values)
    return "{} ({} to {})".format(*map(digits, parts))


def digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
