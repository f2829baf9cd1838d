"""Metrics of answers (B, W), padded with -1, against rows: values (B,) and weights (B,)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from xlm_spec.runtime.data.rows import Rows

Figure = tuple[Tensor, Tensor]  # the value of each example, and its weight in the mean


def same_width(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    width = max(a.shape[1], b.shape[1])
    a, b = (F.pad(x, (0, width - x.shape[1]), value=-1) for x in (a, b))
    return a, b


def sequence_accuracy(answers: Tensor, rows: Rows) -> Figure:
    """1 if the whole answer is right, else 0; weight 1."""
    answers, truth = same_width(answers, rows.truths)
    right = (answers == truth).all(1).double()
    return right, torch.ones_like(right)


def token_accuracy(answers: Tensor, rows: Rows) -> Figure:
    """Share of the true tokens at the right position of the answer, weighted by their number."""
    answers, truth = same_width(answers, rows.truths)
    counts = (truth >= 0).sum(1).double()
    right = ((answers == truth) & (truth >= 0)).sum(1).double()
    return right / counts.clamp(min=1), counts


def entropy(answers: Tensor, rows: Rows) -> Figure:
    """Unigram entropy of an answer in nats, 0 if it is empty; weight 1.

    With c_i the number of times that token i occurs among n tokens: -1/n sum_i ln(c_i / n).
    """
    values = torch.stack([entropy_of(row[row >= 0]) for row in answers.cpu()])
    return values.to(answers.device), torch.ones_like(values, device=answers.device)


def length(answers: Tensor, rows: Rows) -> Figure:
    """Number of tokens of an answer; weight 1."""
    values = (answers >= 0).sum(1).double()
    return values, torch.ones_like(values)


def entropy_of(tokens: Tensor) -> Tensor:
    """The entropy of one sequence (n,), float64."""
    share = tokens.unique(return_counts=True)[1].double() / max(1, len(tokens))
    return -share.xlogy(share).sum()
