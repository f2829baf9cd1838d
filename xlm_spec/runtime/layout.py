"""Where prompt, answer and filler stand in a row; tasks and methods know nothing of each other.

A row is BOS, prompt, BOS, answer, EOS (if the method reads one), padding. A prompt that is shorter
than the task's longest has more BOS before it, so that every answer begins at the same site; the
BOS behind it tells where, which a text that grows does not show. In a method whose room can't
shrink (`fill: eos`) the rest of the longest answer's room is EOS too, predicted like any token.
Blocks of running text have one BOS and no end, neither EOS nor filler; a prompt takes room inside
the block.
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
    ends: bool = True  # False: rows are blocks of running text

    @property
    def closed(self) -> bool:
        """Does EOS stand behind an answer?"""
        return self.ends and self.vocab.eos >= 0

    @property
    def parted(self) -> bool:
        """Does a second BOS stand between prompt and answer?"""
        return self.ends and self.longest_prompt > 0

    @property
    def marks(self) -> int:
        """Sites of a row that hold BOS."""
        return 1 + int(self.parted)

    @property
    def filled(self) -> bool:
        """Does EOS fill what an answer leaves of the room?"""
        return self.closed and self.fill == "eos"

    @property
    def canvas(self) -> int:
        """Free sites for an answer of unknown length."""
        return self.longest_answer + self.closed

    @property
    def room(self) -> int:
        return self.marks + self.canvas + (self.longest_prompt if self.ends else 0)

    @property
    def longest_text(self) -> int:
        """Prompt and answer together."""
        return self.room - self.marks - self.closed

    def before(self, prompt_length: Tensor) -> Tensor:
        """Sites before a prompt, (N, 1)."""
        shorter = self.longest_prompt - prompt_length if self.parted else prompt_length * 0
        return 1 + shorter[:, None]

    def examples(self, rows: Rows):
        """Clean sequences for training and scoring; the prompt is fixed."""
        start = self.start(rows.prompt, rows.prompt_length)
        begin = self.before(rows.prompt_length) + rows.prompt_length[:, None] + self.parted
        place = torch.arange(self.room) - begin  # (N, L) in the answer
        length = rows.answer_length[:, None]
        answer = (place >= 0) & (place < length)
        inside = place.clamp(0, rows.answer.shape[1] - 1)
        tokens = torch.where(answer, rows.answer.gather(1, inside), start.tokens)
        if self.closed:
            tokens = tokens.masked_fill(place >= length, self.vocab.eos)
        end = self.canvas if self.filled else length + self.closed
        return start._replace(tokens=tokens, valid=place < end)

    def start(self, prompt: Tensor, prompt_length: Tensor):
        """What a sampler starts from: the prompt, and room for the longest answer of the task."""
        place = torch.arange(self.room) - self.before(prompt_length)  # (N, L) in the prompt
        given = (place >= 0) & (place < prompt_length[:, None])
        inside = place.clamp(0, max(prompt.shape[1] - 1, 0))
        tokens = torch.full((len(prompt), self.room), self.vocab.pad)
        tokens = torch.where(given, prompt.gather(1, inside), tokens) if prompt.numel() else tokens
        begins = (place < 0) | ((place == prompt_length[:, None]) & bool(self.parted))
        tokens = tokens.masked_fill(begins, self.vocab.bos)
        return self.examples_type(tokens, torch.ones_like(given), given | begins)

    def infilling(self, patterns: list[list[int | None]], begins: list[int]):
        """What a sampler starts from where given tokens stand anywhere; None is a free site.

        A text that can grow does so at its blanks alone. `begins` tells, where a prompt is parted
        from its answer, how long the prompt is. Behind the text the row ends. Where EOS fills the
        room, the rest of it is given as EOS.
        """
        filler = self.vocab.eos if self.filled else self.vocab.pad
        tokens = torch.full((len(patterns), self.room), filler)
        valid = torch.full(tokens.shape, self.filled)
        fixed = valid.clone()
        tokens[:, 0], valid[:, 0], fixed[:, 0] = self.vocab.bos, True, True
        for row, (pattern, first) in enumerate(zip(patterns, begins, strict=True)):
            if self.parted:
                shorter = min(self.longest_prompt - first, self.longest_text - len(pattern))
                before = [self.vocab.bos] * shorter
                pattern = [*before, *pattern[:first], self.vocab.bos, *pattern[first:]]
            here = slice(1, 1 + len(pattern))
            given = [self.vocab.pad if t is None else t for t in pattern]
            tokens[row, here] = torch.tensor(given, dtype=torch.long)
            valid[row, here] = True
            fixed[row, here] = torch.tensor([t is not None for t in pattern])
        nowhere = torch.zeros_like(fixed)  # but where a site is free
        return self.examples_type(tokens, valid, fixed, gaps=nowhere)

    def whole(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """The text of each row, what was given included, (B, W), padded with -1."""
        return self.answers(tokens, valid, tokens == self.vocab.bos)

    def answers(self, tokens: Tensor, valid: Tensor, fixed: Tensor) -> Tensor:
        """What was written behind the prompt up to the first EOS, (B, W), padded with -1."""
        free = valid & ~fixed
        order = (~free).long().argsort(dim=1, stable=True)[:, : max(int(free.sum(1).max()), 1)]
        tokens, free = tokens.gather(1, order), free.gather(1, order)
        if self.vocab.eos >= 0:
            free &= ((tokens == self.vocab.eos) & free).long().cumsum(1) == 0
        return tokens.masked_fill(~free, -1)


def layout_of(package, task: Task, vocab, fill: str) -> Layout:
    lengths = task.longest_prompt, task.longest_answer
    return Layout(package.Examples, vocab, fill, *lengths, task.ends)
