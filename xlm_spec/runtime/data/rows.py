"""Prompts and answers of a task."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 2**14  # rows whose digest is computed together


class Rows(NamedTuple):
    """N prompts and answers, padded on the right with arbitrary ids."""

    prompt: Tensor  # (N, P) long
    prompt_length: Tensor  # (N,)
    answer: Tensor  # (N, A) long
    answer_length: Tensor  # (N,)
    segments: Tensor | None = None  # (N, A) long: the document of each token of packed answers

    def take(self, rows) -> "Rows":
        """Some rows, in memory; those of a file may be stored in a smaller type."""
        segments = None if self.segments is None else self.segments[rows].long()
        prompt, prompt_length, answer, answer_length = (a[rows].long() for a in self[:4])
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
            for some, n in zip(ids.split(CHUNK), length.split(CHUNK), strict=True):
                some = some.long().masked_fill(index >= n[:, None], -1)
                digest.update(some.numpy().tobytes())
            digest.update(length.long().numpy().tobytes())
        return digest.hexdigest()

    @property
    def truths(self) -> Tensor:
        """The answers, (N, A), padded with -1."""
        index = torch.arange(self.answer.shape[1], device=self.answer.device)
        return self.answer.masked_fill(index >= self.answer_length[:, None], -1)


def padded_rows(prompts: Sequence[list[int]], answers: Sequence[list[int]]) -> Rows:
    """Rows of lists of ids, as wide as the longest, int32."""
    return Rows(*padded(prompts), *padded(answers))


def padded(texts: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Ids (N, W) padded with 0, and lengths (N,), int32."""
    length = torch.tensor([len(t) for t in texts], dtype=torch.int32)
    wide = max(map(len, texts), default=0)
    ids = torch.tensor([t + [0] * (wide - len(t)) for t in texts], dtype=torch.int32)
    return ids.view(len(texts), wide), length


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows of some parts, as wide as the widest; with segments if all have them."""
    packed = all(p.segments is not None for p in parts)
    columns = []
    for field in Rows._fields[: 4 + packed]:
        tensors = [getattr(p, field) for p in parts]
        if tensors[0].ndim == 2:
            wide = max(t.shape[1] for t in tensors)
            tensors = [F.pad(t, (0, wide - t.shape[1])) for t in tensors]
        columns.append(torch.cat(tensors))
    return Rows(*columns)
