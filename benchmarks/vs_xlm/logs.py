"""Seconds of training steps, read off what the trainers write."""

import itertools
import json
import statistics


def steps_done(text: str) -> dict[int, float]:
    """metrics.jsonl: when training steps ended; a line that is still being written is left out."""
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {x["step"]: x["seconds"] for x in lines if x["split"] == "train"}


def clocked(text: str) -> dict[int, float]:
    """The peer's clock: a line a step, its time."""
    lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {i: float(line) for i, line in enumerate(lines, 1)}


def a_step(ends: dict[int, float], warm: int, every: int) -> float:
    """Median over windows of `every` steps behind the first `warm`, of seconds a step."""
    at = [s for s in sorted(ends) if s >= warm and s % every == 0]
    gaps = [(ends[b] - ends[a]) / (b - a) for a, b in itertools.pairwise(at)]
    return statistics.median(gaps)
