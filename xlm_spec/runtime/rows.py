"""Prompts and answers of a task."""

import hashlib
from typing import NamedTuple

import torch
from torch import Tensor


class Rows(NamedTuple):
    """N prompts and answers, padded on the right with arbitrary ids."""

    prompt: Tensor  # (N, P) long
    prompt_length: Tensor  # (N,)
    answer: Tensor  # (N, A) long
    answer_length: Tensor  # (N,)
    segments: Tensor | None = None  # (N, A) long: the document of each token of packed answers

    def take(self, rows) -> "Rows":
        segments = None if self.segments is None else self.segments[rows]
        prompt, prompt_length, answer, answer_length = (a[rows] for a in self[:4])
        return Rows(prompt, prompt_length, answer, answer_length, segments)

    @property
    def digest(self) -> str:
        """A digest of prompts, answers and segments, without their padding."""
        digest = hashlib.blake2b(digest_size=16)
        parts = [(self.prompt, self.prompt_length), (self.answer, self.answer_length)]
        parts += [] if self.segments is None else [(self.segments, self.answer_length)]
        for ids, length in parts:
            index = torch.arange(ids.shape[1])
            digest.update(repr(tuple(ids.shape)).encode())
            digest.update(ids.masked_fill(index >= length[:, None], -1).numpy().tobytes())
            digest.update(length.long().numpy().tobytes())
        return digest.hexdigest()

    @property
    def truths(self) -> Tensor:
        """The answers, (N, A), padded with -1."""
        index = torch.arange(self.answer.shape[1], device=self.answer.device)
        return self.answer.masked_fill(index >= self.answer_length[:, None], -1)
