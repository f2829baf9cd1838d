"""Seconds per training step, from the logs of the trainers."""

import itertools
import json
import statistics


def steps_done(text: str) -> dict[int, float]:
    """The end times of training steps in metrics.jsonl, without an incomplete last line."""
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {x["step"]: x["seconds"] for x in lines if x["split"] == "train"}


def clocked(text: str) -> dict[int, float]:
    """The end times of training steps in the peer's clock file, one line per step."""
    lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {i: float(line) for i, line in enumerate(lines, 1)}


def a_step(ends: dict[int, float], warm: int, every: int) -> float:
    """Median seconds per step over windows of `every` steps, after the first `warm` steps."""
    at = [s for s in sorted(ends) if s >= warm and s % every == 0]
    gaps = [(ends[b] - ends[a]) / (b - a) for a, b in itertools.pairwise(at)]
    return statistics.median(gaps)
