"""The samplers of a trained model at several numbers of function evaluations."""

import dataclasses
import json
from pathlib import Path
from typing import cast

import torch

from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.evaluation.evaluate import repeated, score_samples
from xlm_spec.runtime.evaluation.frontier import with_setting
from xlm_spec.runtime.evaluation.metric_tracker import MetricTracker
from xlm_spec.runtime.weights.load_model import TrainedModel
from xlm_spec.workbench.folder import write_whole
from xlm_spec.workbench.packages import load_trained

EXAMPLES = 250  # of the validation split
VALUES = {  # settings that trade function evaluations for quality
    "tokens_per_step": (1, 2, 3, 4, 6, 8, 16, 32),
    "steps": (1, 2, 3, 4, 8, 16, 32, 64, 128, 256),
}


def sweep(package: Path, run: Path) -> list[dict]:
    """A point {sampler, setting, calls_per_example, metrics} per value; stored in the run."""
    file = run / "figures" / "sweep.json"
    if not file.exists():
        trained = load_trained(package, run)
        points = [p for s in trained.run.package.SAMPLERS for p in swept(trained, s)]
        write_whole(file, json.dumps(points))
    return json.loads(file.read_text(encoding="utf-8"))


def swept(trained: TrainedModel, sampler: str) -> list[dict]:
    key = key_of(trained, sampler)
    if key is None:
        return []
    name, points = key.rpartition(".")[2], []
    own = int(cast(float, trained.run.settings[key]))
    most = own if name == "steps" else trained.layout.canvas
    for value in sorted({own, *(v for v in VALUES[name] if v <= most)}):
        try:
            point = scored(with_setting(trained, key, value), sampler)
        except Failed:  # outside the range of the setting
            continue
        points.append({"sampler": sampler, "setting": f"{name}={value}", **point})
    return points


def key_of(trained: TrainedModel, sampler: str) -> str | None:
    """The dotted name of the setting that a sampler is swept over."""
    prefixes = (f"sampler.{sampler}.", "sampler.")
    keys = (f"{p}{name}" for p in prefixes for name in VALUES)
    return next((k for k in keys if k in trained.run.settings), None)


@torch.no_grad()
def scored(trained: TrainedModel, sampler: str) -> dict[str, float]:
    """The metrics of the task and the NFE per example."""
    task = trained.run.task
    rows = task.rows("val")
    n = min(EXAMPLES, task.samples or len(rows.prompt))
    only = dataclasses.replace(trained.run.data, metrics=())  # those of the task
    tracker = MetricTracker(dataclasses.replace(trained.run, data=only))
    cost = score_samples(trained, sampler, repeated(rows, n), tracker)
    means = tracker.compute()
    return {"calls_per_example": cost["calls_per_example"]} | {k: means[k] for k in task.metrics}
