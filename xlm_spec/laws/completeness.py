"""Whether a sampler has completed its sequences."""

import torch

from .method import Method


def incomplete(m: Method, x, last) -> int:
    """The number of sequences with special tokens at free positions, or without an end.

    A canvas is complete if all its positions have tokens.
    """
    special = torch.isin(last.tokens, torch.tensor(m.vocab.special))
    wrong = (special & last.valid & ~last.fixed).any(1)
    if m.layout == "canvas":
        wrong |= (x.valid & ~last.valid).any(1)
    if m.layout == "end":
        end = last.valid.sum(1)
        ended = last.tokens[torch.arange(len(end)), end - 1] == m.vocab.eos
        wrong |= (end < x.valid.sum(1)) & ~ended
    return int(wrong.sum())
