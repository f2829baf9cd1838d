"""Scores of samples of trained packages: star graphs by the answer, text by a judge model."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from xlm_spec.runtime.data.metrics import entropy
from xlm_spec.runtime.evaluation.evaluate import sampled
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.tasks.task import Rows
from xlm_spec.runtime.weights.load_model import TrainedModel
from xlm_spec.workbench import packages


def loaded(run: Path, sets: list[str]) -> TrainedModel:
    """The model of a run folder `<package>-<task>-<seed>`; `sets` change sampler settings."""
    package = run.parents[1] / run.name.split("-")[0]
    return packages.load_trained(package, run, sets)


def graphs(trained: TrainedModel, sampler: str, n: int) -> dict[str, float]:
    """Sequence accuracy in percent on the first n test graphs."""
    rows = trained.run.task.rows("test").take(slice(0, n))
    answers, calls = sampled_answers(trained, sampler, rows)
    metric = trained.run.task.metrics["sequence_accuracy"]
    right, _ = metric.of(answers, rows)
    return {"calls": calls, "accuracy": 100 * right.mean().item()}


@torch.no_grad()
def sampled_answers(trained: TrainedModel, sampler: str, rows: Rows) -> tuple[Tensor, float]:
    """Answers (N, W), padded with -1, and the mean NFE per example."""
    results = [result for _, result in sampled(trained, sampler, rows)]
    wide = max(r.answers.shape[1] for r in results)
    padded = [pad(r.answers, (0, wide - r.answers.shape[1]), value=-1) for r in results]
    return torch.cat(padded), sum(r.rows for r in results) / len(rows.prompt)


def texts(trained: TrainedModel, judge: TrainedModel, sampler: str, n: int) -> dict[str, float]:
    """Bits per character of n samples under the judge, and the entropy of their characters."""
    rows = trained.run.task.rows("test")
    answers, calls = sampled_answers(trained, sampler, rows.take(torch.zeros(n, dtype=torch.long)))
    return {"calls": calls, **judged(judge, answers)}


def truths(judge: TrainedModel, n: int) -> dict[str, float]:
    """The same scores for n blocks of the test split."""
    rows = judge.run.task.rows("test").take(slice(0, n))
    return {"calls": 0.0, **judged(judge, rows.truths)}


@torch.no_grad()
def judged(judge: TrainedModel, answers: Tensor) -> dict[str, float]:
    """The scores of texts (N, W) padded with -1; a token that is no character ends its text."""
    characters = len(judge.run.task.tokenizer.state["alphabet"])
    whole = ((answers >= 0) & (answers < characters)).cumprod(1)
    lengths = whole.sum(1)
    empty = torch.zeros(len(answers), 0, dtype=torch.long)
    rows = Rows(empty, torch.zeros_like(lengths), answers.clamp(min=0), lengths)
    x = judge.layout.examples(rows)
    nats = -judge.run.package.log_likelihood_bound(judge.model, x, judge.run.config, generator(0))
    of_each, _ = entropy(answers.masked_fill(whole == 0, -1), rows)
    bits = nats.sum().item() / torch.log(torch.tensor(2.0)).item() / lengths.sum().item()
    return {"bits": bits, "entropy": of_each.mean().item()}
