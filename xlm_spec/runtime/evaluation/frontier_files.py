"""The workflow `frontier`: measures the frontier of a checkpoint and writes its files."""

import sys
from collections.abc import Sequence
from pathlib import Path

from xlm_spec.runtime.evaluation.frontier import (
    TEMPERATURES,
    Point,
    as_csv,
    as_json,
    as_markdown,
    frontier,
    known_samplers,
    numbers,
)
from xlm_spec.runtime.evaluation.frontier_plot import plot
from xlm_spec.runtime.evaluation.judge import judge_of
from xlm_spec.runtime.weights.load_model import load_model


def measure(package, data, train, args) -> None:
    """Prints the table, and writes frontier.json, .csv, .md and .svg."""
    temperatures: Sequence[float] = TEMPERATURES
    if args.temperatures:
        temperatures = numbers(args.temperatures, float, "--temperatures")
    steps = numbers(args.steps, int, "--steps") if args.steps else ()
    trained = load_model(package, data, train, args)
    samplers = known_samplers(trained, args.sampler)
    judge_of(args.judge)  # before anything is sampled
    points = []
    for p in frontier(trained, args.judge, samplers, temperatures, steps, args.n):
        points.append(p)
        at = "" if p.temperature is None else f", temperature {p.temperature:g}"
        line = f"{p.curve}{at}: NLL {p.nll:.3f}, entropy {p.entropy:.3f}"
        print(line, file=sys.stderr, flush=True)
    write(points, args.judge, args.to, f"{trained.run.name} on {trained.run.task.name}")
    print(as_markdown(points, args.judge))


def write(points: Sequence[Point], judge: str, folder: Path, title: str) -> None:
    """The four files of a frontier."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "json": as_json(points, judge),
        "csv": as_csv(points),
        "md": as_markdown(points, judge),
        "svg": plot(points, title),
    }
    for suffix, content in contents.items():
        file = folder / f"frontier.{suffix}"
        file.write_text(content, encoding="utf-8", newline="\n")
