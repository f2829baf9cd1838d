"""The logs of runs: losses and metrics against steps, over seeds, and the training speed."""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan
from pathlib import Path
from statistics import mean, stdev

POINTS = 200  # per curve


@dataclass(frozen=True)
class Point:
    """The mean over seeds and the standard deviation, 0 for one seed."""

    x: float
    mean: float
    sd: float


def logged(run: Path) -> list[dict]:
    """The lines of metrics.jsonl; empty if a run was too short to log."""
    file = run / "metrics.jsonl"
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def names(lines: Sequence[dict], split: str) -> list[str]:
    """The names of the values of a split, in the order in which they were logged."""
    keys = (k for line in lines if line["split"] == split for k in line)
    return [k for k in dict.fromkeys(keys) if k not in ("step", "split", "seconds")]


def values(lines: Sequence[dict], split: str, name: str) -> list[tuple[float, float]]:
    """(step, value) in order."""
    selected = (line for line in lines if line["split"] == split and name in line)
    return sorted({line["step"]: line[name] for line in selected}.items())


def curve(runs: Sequence[list[tuple[float, float]]]) -> list[Point]:
    """The mean over seeds at the steps that all of them reached, interpolated linearly."""
    runs = [r for r in runs if r]
    if not runs:
        return []
    first, last = max(r[0][0] for r in runs), min(r[-1][0] for r in runs)
    steps = sorted({x for r in runs for x, _ in r if first <= x <= last})
    steps = steps[:: -(-len(steps) // POINTS) or 1] + steps[-1:]
    out = []
    for step in dict.fromkeys(steps):
        each = [at(r, step) for r in runs]
        out.append(Point(step, mean(each), stdev(each) if len(each) > 1 else 0.0))
    return out


def at(run: list[tuple[float, float]], x: float) -> float:
    index = bisect_left(run, (x, float("-inf")))
    if run[index][0] == x or index == 0:
        return run[index][1]
    (x0, y0), (x1, y1) = run[index - 1], run[index]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def steps_per_second(lines: Sequence[dict]) -> float:
    """The training speed between log lines without validation in between; NaN if unknown."""
    steps = seconds = 0.0
    for before, after in pairwise(lines):
        if before["split"] == after["split"] == "train" and after["seconds"] > before["seconds"]:
            steps += after["step"] - before["step"]
            seconds += after["seconds"] - before["seconds"]
    return steps / seconds if seconds else nan
