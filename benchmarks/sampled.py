"""What samplers of trained packages write, scored: star graphs by truth, text by a judge."""

from pathlib import Path

import torch
from torch import Tensor

from xlm_spec.runtime.loaded import Loaded
from xlm_spec.runtime.metrics import entropy
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.tasks.task import Rows
from xlm_spec.workbench import packages
from xlm_spec.workbench.sweep import drawn


def loaded(run: Path, sets: list[str]) -> Loaded:
    """The network of a run folder `<package>-<task>-<seed>`, with other numbers of its samplers."""
    package = run.parents[1] / run.name.split("-")[0]
    return packages.loaded(package, run, sets)


def graphs(found: Loaded, sampler: str, n: int) -> dict[str, float]:
    """Sequence accuracy in percent on the first n test graphs."""
    rows = found.run.task.rows("test").take(slice(0, n))
    answers, calls = drawn(found, sampler, rows)
    metric = found.run.task.metrics["sequence_accuracy"]
    right, _ = metric.of(answers, rows)
    return {"calls": calls, "accuracy": 100 * right.mean().item()}


def texts(found: Loaded, judge: Loaded, sampler: str, n: int) -> dict[str, float]:
    """Bits per character of n samples under the judge, and the entropy of their characters."""
    rows = found.run.task.rows("test")
    answers, calls = drawn(found, sampler, rows.take(torch.zeros(n, dtype=torch.long)))
    return {"calls": calls, **judged(judge, answers)}


def truths(judge: Loaded, n: int) -> dict[str, float]:
    """The same of n blocks of the test split."""
    rows = judge.run.task.rows("test").take(slice(0, n))
    return {"calls": 0.0, **judged(judge, rows.truths)}


@torch.no_grad()
def judged(judge: Loaded, answers: Tensor) -> dict[str, float]:
    """Of texts (N, W) padded with -1; a token that is no character ends its text."""
    whole = ((answers >= 0) & (answers < len(judge.run.task.words.state["alphabet"]))).cumprod(1)
    lengths = whole.sum(1)
    empty = torch.zeros(len(answers), 0, dtype=torch.long)
    rows = Rows(empty, torch.zeros_like(lengths), answers.clamp(min=0), lengths)
    x = judge.layout.examples(rows)
    nats = -judge.run.package.log_likelihood_bound(judge.model, x, judge.run.config, generator(0))
    told, _ = entropy(answers.masked_fill(whole == 0, -1), rows)
    bits = nats.sum().item() / torch.log(torch.tensor(2.0)).item() / lengths.sum().item()
    return {"bits": bits, "entropy": told.mean().item()}
