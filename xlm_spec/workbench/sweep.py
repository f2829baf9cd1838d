"""A trained network's samplers at other numbers of network calls, on some validation examples."""

import dataclasses
import json
from pathlib import Path

import torch
from torch import Tensor

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.choose import names
from xlm_spec.runtime.dotted import overridden
from xlm_spec.runtime.loaded import Loaded
from xlm_spec.runtime.rows import Rows
from xlm_spec.runtime.scoring import draw, sampling_generator, start_of
from xlm_spec.workbench.packages import loaded
from xlm_spec.workbench.place import put

BATCH, EXAMPLES = 250, 250
TRIED = {  # numbers that buy quality with calls
    "per_step": (1, 2, 3, 4, 6, 8, 16, 32),
    "steps": (1, 2, 3, 4, 8, 16, 32, 64, 128, 256),
}


def sweep(package: Path, run: Path) -> list[dict]:
    """{sampler, setting, calls_per_example, figures of the task} of each; kept in the run."""
    file = run / "figures" / "sweep.json"
    if not file.exists():
        found = loaded(package, run)
        put(file, json.dumps([p for s in found.run.package.SAMPLERS for p in swept(found, s)]))
    return json.loads(file.read_text(encoding="utf-8"))


def swept(found: Loaded, sampler: str) -> list[dict]:
    key = key_of(found, sampler)
    if key is None:
        return []
    number, points = key.rpartition(".")[2], []
    own = int(found.run.numbers[key])
    most = own if number == "steps" else found.layout.canvas
    for value in sorted({own, *(v for v in TRIED[number] if v <= most)}):
        try:
            point = scored(with_number(found, key, value), sampler)
        except Failed:  # outside of the number's range
            continue
        points.append({"sampler": sampler, "setting": f"{number}={value}", **point})
    return points


def key_of(found: Loaded, sampler: str) -> str | None:
    """The dotted name of the number that a sampler is swept over."""
    prefixes = (f"sampler.{sampler}.", "sampler.")
    keys = (f"{p}{number}" for p in prefixes for number in TRIED)
    return next((k for k in keys if k in found.run.numbers), None)


def with_number(found: Loaded, key: str, value: int) -> Loaded:
    """Raises Failed (X602) where the number may not be that."""
    run = found.run
    number = names(run.package, run.task).converted(key, value)
    config = overridden(run.config, {key: number})
    return dataclasses.replace(found, run=dataclasses.replace(run, config=config))


def scored(found: Loaded, sampler: str) -> dict[str, float]:
    """The task's figures and the calls of an example."""
    task = found.run.task
    rows = task.rows("val")
    wanted = min(EXAMPLES, task.samples or len(rows.prompt))
    some = rows.take(torch.arange(wanted) % len(rows.prompt))
    answers, calls = drawn(found, sampler, some)
    out = {"calls_per_example": calls}
    for name, metric in task.metrics.items():
        value, weight = metric.of(answers, some)
        out[name] = ((value * weight).sum() / weight.sum()).item()
    return out


@torch.no_grad()
def drawn(found: Loaded, sampler: str, rows: Rows) -> tuple[Tensor, float]:
    """Answers (N, W), padded with -1, and the network calls of each on average."""
    parts, read = [], 0
    for first in range(0, len(rows.prompt), BATCH):
        part = rows.take(slice(first, first + BATCH))
        rng = sampling_generator(found.run, sampler, first, found.device)
        start = start_of(found.layout, part, found.device)
        out = draw(found.run, found.layout, found.model, sampler, start, rng)
        parts.append(out.answers)
        read += out.rows
    wide = max(p.shape[1] for p in parts)
    padded = [torch.nn.functional.pad(p, (0, wide - p.shape[1]), value=-1) for p in parts]
    return torch.cat(padded), read / len(rows.prompt)
