"""Where prompt, answer and filler stand in a row; tasks and methods know nothing of each other.

A row is BOS, prompt, answer, EOS (if the method reads one), padding. In a method whose room can't
shrink (`fill: eos`) the rest of the longest answer's room is EOS too, predicted like any token.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xlm_spec.runtime.tasks.task import Rows, Task


@dataclass(frozen=True)
class Layout:
    """Lays out rows for a package; `examples_type` is its Examples, `vocab` its Vocab."""

    examples_type: type
    vocab: Any
    fill: str  # eos or none
    longest_prompt: int
    longest_answer: int

    @property
    def ends(self) -> bool:
        """Does an answer end in EOS?"""
        return self.vocab.eos >= 0

    @property
    def canvas(self) -> int:
        """Free sites for an answer of unknown length."""
        return self.longest_answer + self.ends

    @property
    def room(self) -> int:
        return 1 + self.longest_prompt + self.canvas

    def examples(self, rows: Rows):
        """Clean sequences for training and scoring; the prompt is fixed."""
        start = self.start(rows.prompt, rows.prompt_length)
        site = torch.arange(self.room)
        place = site - 1 - rows.prompt_length[:, None]  # (N, L) place in the answer
        length = rows.answer_length[:, None]
        answer = (place >= 0) & (place < length)
        tokens = start.tokens.clone()
        inside = place.clamp(0, rows.answer.shape[1] - 1)
        tokens = torch.where(answer, rows.answer.gather(1, inside), tokens)
        if self.ends:
            behind = (place >= length) & start.valid
            tokens = tokens.masked_fill(behind, self.vocab.eos)
        end = self.canvas if self.fill == "eos" else length + self.ends
        return start._replace(tokens=tokens, valid=start.valid & (place < end))

    def start(self, prompt: Tensor, prompt_length: Tensor):
        """What a sampler starts from: the prompt, and room for the longest answer of the task."""
        site = torch.arange(self.room)
        place = (site - 1).expand(len(prompt), -1)
        given = (place >= 0) & (place < prompt_length[:, None])
        inside = place.clamp(0, max(prompt.shape[1] - 1, 0))
        tokens = torch.full((len(prompt), self.room), self.vocab.pad)
        tokens = torch.where(given, prompt.gather(1, inside), tokens) if prompt.numel() else tokens
        tokens[:, 0] = self.vocab.bos
        fixed = given.clone()
        fixed[:, 0] = True
        valid = site < 1 + prompt_length[:, None] + self.canvas
        return self.examples_type(tokens, valid, fixed)

    def answers(self, tokens: Tensor, valid: Tensor, fixed: Tensor) -> Tensor:
        """What was written behind the prompt up to the first EOS, (B, W), padded with -1."""
        free = valid & ~fixed
        order = (~free).long().argsort(dim=1, stable=True)[:, : max(int(free.sum(1).max()), 1)]
        tokens, free = tokens.gather(1, order), free.gather(1, order)
        if self.ends:
            free &= ((tokens == self.vocab.eos) & free).long().cumsum(1) == 0
        return tokens.masked_fill(~free, -1)

    def truths(self, rows: Rows) -> Tensor:
        """The answers of the data, (B, A), padded with -1."""
        place = torch.arange(rows.answer.shape[1])
        return rows.answer.masked_fill(place >= rows.answer_length[:, None], -1)


def layout_of(package, task: Task, vocab, fill: str) -> Layout:
    return Layout(package.Examples, vocab, fill, task.longest_prompt, task.longest_answer)
