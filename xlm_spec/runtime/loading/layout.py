"""The positions of prompt, answer and padding in a sequence, independent of task and method.

A sequence is BOS, prompt, BOS, answer, EOS (if the method has one), padding. A prompt shorter than
the longest of the task has extra BOS tokens before it, so that all answers begin at the same
position; the BOS after the prompt marks where, which methods that insert tokens need. In a method
whose canvas has a fixed length (`fill: eos`) EOS tokens fill the canvas after the answer, and are
predicted like any token. Blocks of running text have one BOS and no EOS; a prompt is part of the
block.
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
    def ends_with_eos(self) -> bool:
        """True if EOS follows an answer."""
        return self.ends and self.vocab.eos >= 0

    @property
    def separates_prompt(self) -> bool:
        """True if a second BOS separates prompt and answer."""
        return self.ends and self.longest_prompt > 0

    @property
    def bos_count(self) -> int:
        """BOS tokens of a sequence with the longest prompt."""
        return 1 + int(self.separates_prompt)

    @property
    def fills_with_eos(self) -> bool:
        """True if EOS tokens fill the canvas after an answer."""
        return self.ends_with_eos and self.fill == "eos"

    @property
    def canvas(self) -> int:
        """Free positions for an answer of unknown length."""
        return self.longest_answer + self.ends_with_eos

    @property
    def max_length(self) -> int:
        """Positions of a sequence."""
        return self.bos_count + self.canvas + (self.longest_prompt if self.ends else 0)

    @property
    def longest_text(self) -> int:
        """Tokens of prompt and answer together."""
        return self.max_length - self.bos_count - self.ends_with_eos

    def before(self, prompt_length: Tensor) -> Tensor:
        """Number of positions before a prompt, (N, 1)."""
        shorter = self.longest_prompt - prompt_length
        return 1 + (shorter if self.separates_prompt else prompt_length * 0)[:, None]

    def examples(self, rows: Rows):
        """Clean sequences for training and evaluation; the prompt is fixed.

        The document of the first token of an answer is that of all positions before it, the
        document of the last one that of EOS after it; -1 is that of padding.
        """
        start = self.start(rows.prompt, rows.prompt_length)
        separator = int(self.separates_prompt)
        begin = self.before(rows.prompt_length) + rows.prompt_length[:, None] + separator
        index = torch.arange(self.max_length) - begin  # (N, L) in the answer
        length = rows.answer_length[:, None]
        answer = (index >= 0) & (index < length)
        inside = index.clamp(0, rows.answer.shape[1] - 1)
        tokens = torch.where(answer, rows.answer.gather(1, inside), start.tokens)
        if self.ends_with_eos:
            tokens = tokens.masked_fill(index >= length, self.vocab.eos)
        end = self.canvas if self.fills_with_eos else length + self.ends_with_eos
        x = start._replace(tokens=tokens, valid=index < end)
        if rows.segments is None:
            return x
        nearest = index.clamp(min=0).minimum((length - 1).clamp(min=0))
        segments = rows.segments.gather(1, nearest)
        return x._replace(segments=segments.masked_fill(~x.valid, -1))

    def start(self, prompt: Tensor, prompt_length: Tensor):
        """The start of sampling: the prompt, and a canvas for the longest answer of the task."""
        index = torch.arange(self.max_length) - self.before(prompt_length)  # (N, L) in the prompt
        in_prompt = (index >= 0) & (index < prompt_length[:, None])
        inside = index.clamp(0, max(prompt.shape[1] - 1, 0))
        tokens = torch.full((len(prompt), self.max_length), self.vocab.pad)
        if prompt.numel():
            tokens = torch.where(in_prompt, prompt.gather(1, inside), tokens)
        separator = (index == prompt_length[:, None]) & self.separates_prompt
        bos = (index < 0) | separator
        tokens = tokens.masked_fill(bos, self.vocab.bos)
        return self.examples_type(tokens, torch.ones_like(in_prompt), in_prompt | bos)

    def infilling(self, patterns: list[list[int | None]], prompt_lengths: list[int]):
        """The start of sampling with fixed tokens anywhere; None is a free position.

        A method that inserts tokens does so only at blanks. `prompt_lengths` places the BOS
        between prompt and answer. The sequence ends after the text; in a canvas that EOS fills,
        the rest is fixed EOS.
        """
        filler = self.vocab.eos if self.fills_with_eos else self.vocab.pad
        tokens = torch.full((len(patterns), self.max_length), filler)
        valid = torch.full(tokens.shape, self.fills_with_eos)
        fixed = valid.clone()
        tokens[:, 0], valid[:, 0], fixed[:, 0] = self.vocab.bos, True, True
        for row, (pattern, first) in enumerate(zip(patterns, prompt_lengths, strict=True)):
            if self.separates_prompt:
                shorter = min(self.longest_prompt - first, self.longest_text - len(pattern))
                before = [self.vocab.bos] * shorter
                pattern = [*before, *pattern[:first], self.vocab.bos, *pattern[first:]]
            span = slice(1, 1 + len(pattern))
            padded = [self.vocab.pad if t is None else t for t in pattern]
            tokens[row, span] = torch.tensor(padded, dtype=torch.long)
            valid[row, span] = True
            fixed[row, span] = torch.tensor([t is not None for t in pattern])
        no_gaps = torch.zeros_like(fixed)  # insertion at free positions only
        return self.examples_type(tokens, valid, fixed, gaps=no_gaps)

    def whole(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """The text of each sequence, fixed tokens included, (B, W), padded with -1."""
        return self.answers(tokens, valid, tokens == self.vocab.bos)

    def answers(self, tokens: Tensor, valid: Tensor, fixed: Tensor) -> Tensor:
        """The free tokens up to the first EOS, (B, W), padded with -1."""
        free = valid & ~fixed
        order = (~free).long().argsort(dim=1, stable=True)[:, : max(int(free.sum(1).max()), 1)]
        tokens, free = tokens.gather(1, order), free.gather(1, order)
        if self.vocab.eos >= 0:
            free &= ((tokens == self.vocab.eos) & free).long().cumsum(1) == 0
        return tokens.masked_fill(~free, -1)


def layout_of(package, task: Task, vocab, fill: str) -> Layout:
    lengths = task.longest_prompt, task.longest_answer
    return Layout(package.Examples, vocab, fill, *lengths, task.ends)
