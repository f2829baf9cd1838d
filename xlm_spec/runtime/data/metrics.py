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


def error_rate(answers: Tensor, rows: Rows) -> Figure:
    """Edits from the answer to the true one, per true token, weighted by their number."""
    counts = rows.answer_length.double()
    return edit_distance(answers, rows.truths).double() / counts.clamp(min=1), counts


def input_error_rate(answers: Tensor, rows: Rows) -> Figure:
    """The same from the prompt: what `error_rate` is if the answer repeats the prompt."""
    index = torch.arange(rows.prompt.shape[1], device=rows.prompt.device)
    prompt = rows.prompt.masked_fill(index >= rows.prompt_length[:, None], -1)
    return error_rate(prompt, rows)


def edit_distance(a: Tensor, b: Tensor) -> Tensor:
    """The least number of insertions, deletions and substitutions from a to b, (B,).

    a (B, V) and b (B, W) are padded with -1. Levenshtein's recursion, one row of it at a time.
    """
    index = torch.arange(b.shape[1] + 1, device=b.device)
    best = index.expand(len(b), -1)
    for token in a.unbind(1):
        across = best[:, :-1] + (token[:, None] != b)
        left = torch.cat([best[:, :1] + 1, torch.minimum(across, best[:, 1:] + 1)], 1)
        row = (left - index).cummin(1).values + index
        best = torch.where(token[:, None] >= 0, row, best)
    return best.gather(1, (b >= 0).sum(1, keepdim=True))[:, 0]


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
