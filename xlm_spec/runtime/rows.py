"""Prompts and answers as a task gives them."""

from typing import NamedTuple

import torch
from torch import Tensor


class Rows(NamedTuple):
    """N prompts and answers, padded on the right with anything."""

    prompt: Tensor  # (N, P) long
    prompt_length: Tensor  # (N,)
    answer: Tensor  # (N, A) long
    answer_length: Tensor  # (N,)

    def take(self, which) -> "Rows":
        return Rows(*(a[which] for a in self))

    @property
    def truths(self) -> Tensor:
        """The answers, (N, A), padded with -1."""
        place = torch.arange(self.answer.shape[1], device=self.answer.device)
        return self.answer.masked_fill(place >= self.answer_length[:, None], -1)
