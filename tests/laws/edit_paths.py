"""Edits that remain of a sequence, and the model that expects them exactly."""

from collections import defaultdict
from collections.abc import Callable

import torch

BOS, PAD, SIZE = 2, 3, 4
INSERT, DELETE, SUBSTITUTE = range(3)
GONE = 0  # the token of a deletion
Chances = Callable[[float], dict[tuple, float]]  # alpha -> P(x_t, its edits)


def noised(
    columns, done, prefix=(BOS,)
) -> tuple[tuple[int, ...], tuple[tuple[int, int, int], ...]]:
    """x_t after the fixed tokens `prefix`, and the edits that remain."""
    state, edits = [*prefix], []
    for (old, new), jumped in zip(columns, done, strict=True):
        here = new if jumped else old
        if here is not None:
            state.append(here)
        if not jumped and old != new:
            kind = INSERT if old is None else DELETE if new is None else SUBSTITUTE
            edits.append((kind, len(state) - 1, GONE if new is None else new))
    return tuple(state), tuple(sorted(edits))


class Exact:
    """The expected number of each edit that remains, given x_t: the minimiser of the loss."""

    def __init__(self, chances: Chances, schedule, faster: float = 1.0):
        self.chances, self.schedule, self.faster = chances, schedule, faster

    def table(self, alpha: float) -> dict[tuple[int, ...], torch.Tensor]:
        """For each x_t, E[edits that remain], (positions, 3, SIZE)."""
        mass: dict[tuple, float] = defaultdict(float)
        edited: dict[tuple, torch.Tensor] = {}
        for (state, edits), p in self.chances(alpha).items():
            mass[state] += p
            total = edited.setdefault(state, torch.zeros(len(state), 3, SIZE).double())
            for kind, position, token in edits:
                total[position, kind, token] += p
        return {state: total / mass[state] for state, total in edited.items()}

    def __call__(self, tokens, valid, t):
        """(B, W, 3 SIZE); nearly no edits in a sequence that is no x_t."""
        [alpha] = self.schedule.alpha(t).unique().tolist()
        self.share, table = 1 - alpha, self.table(alpha)
        hidden = torch.zeros(*tokens.shape, 3, SIZE).double()
        rows, which = tokens.masked_fill(~valid, PAD).unique(dim=0, return_inverse=True)
        for i, row in enumerate(rows.tolist()):
            state = tuple(token for token in row if token != PAD)
            if state in table:
                hidden[which == i, : len(state)] = table[state]
        return hidden.clamp(min=1e-30).flatten(2)

    def rate(self, hidden, kind):
        return self.faster * hidden.unflatten(-1, (3, SIZE))[..., kind, :].sum(-1) / self.share

    def gap_count(self, hidden):
        return self.rate(hidden, INSERT)

    def delete_rate(self, hidden):
        return self.rate(hidden, DELETE)

    def substitute_rate(self, hidden):
        return self.rate(hidden, SUBSTITUTE)

    def gap_token_logits(self, hidden):
        return hidden.unflatten(-1, (3, SIZE))[..., INSERT, :].log()

    def token_logits(self, hidden):
        return hidden.unflatten(-1, (3, SIZE))[..., SUBSTITUTE, :].log()
