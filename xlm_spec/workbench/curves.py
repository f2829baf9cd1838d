"""What runs logged: losses and figures against steps, over seeds; and how fast they trained."""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan
from pathlib import Path
from statistics import mean, stdev

POINTS = 200  # of a curve


@dataclass(frozen=True)
class Point:
    """The mean over seeds and how far one standard deviation reaches; 0 of one seed."""

    x: float
    mean: float
    sd: float


def logged(run: Path) -> list[dict]:
    """metrics.jsonl; empty where a run was too short to log."""
    file = run / "metrics.jsonl"
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def names(lines: Sequence[dict], split: str) -> list[str]:
    """The values of a split, in the order in which they were logged."""
    found = (k for line in lines if line["split"] == split for k in line)
    return [k for k in dict.fromkeys(found) if k not in ("step", "split", "seconds")]


def values(lines: Sequence[dict], split: str, name: str) -> list[tuple[float, float]]:
    """(step, value) in order."""
    mine = (line for line in lines if line["split"] == split and name in line)
    return sorted({line["step"]: line[name] for line in mine}.items())


def curve(runs: Sequence[list[tuple[float, float]]]) -> list[Point]:
    """Over seeds, at the steps up to which each of them came; between two, a straight line."""
    runs = [r for r in runs if r]
    if not runs:
        return []
    first, last = max(r[0][0] for r in runs), min(r[-1][0] for r in runs)
    steps = sorted({x for r in runs for x, _ in r if first <= x <= last})
    steps = steps[:: -(-len(steps) // POINTS) or 1] + steps[-1:]
    out = []
    for step in dict.fromkeys(steps):
        found = [at(r, step) for r in runs]
        out.append(Point(step, mean(found), stdev(found) if len(found) > 1 else 0.0))
    return out


def at(run: list[tuple[float, float]], x: float) -> float:
    place = bisect_left(run, (x, float("-inf")))
    if run[place][0] == x or place == 0:
        return run[place][1]
    (x0, y0), (x1, y1) = run[place - 1], run[place]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def steps_per_second(lines: Sequence[dict]) -> float:
    """From one training line to the next where nothing was validated in between; NaN if unknown."""
    steps = seconds = 0.0
    for before, after in pairwise(lines):
        if before["split"] == after["split"] == "train" and after["seconds"] > before["seconds"]:
            steps += after["step"] - before["step"]
            seconds += after["seconds"] - before["seconds"]
    return steps / seconds if seconds else nan
