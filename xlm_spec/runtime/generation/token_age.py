"""The age of each token in a trajectory, by aligning successive states.

If two states hold the same positions, they are compared position by position. If positions were
inserted or deleted, the common subsequence is kept and everything else is new.
"""

from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple


class Snapshot(NamedTuple):
    """The valid positions of one sequence in reading order, without the leading BOS."""

    positions: list[int]
    tokens: list[int]
    fixed: list[bool]


class Cell(NamedTuple):
    """A token of a state."""

    token: int
    fixed: bool
    since: int  # the step in which it was written, 0 in the first state
    writes: int  # how often a token was written here; masks and the first state do not count


class Change(NamedTuple):
    """The range [start, end) of the earlier state became [new_start, new_end) of the later one."""

    start: int
    end: int
    new_start: int
    new_end: int


def snapshot(state, row: int) -> Snapshot:
    """One sequence without its leading BOS; there are several BOS before a short prompt."""
    tokens, valid, fixed = (a[row].tolist() for a in (state.tokens, state.valid, state.fixed))
    first = next((i for i, t in enumerate(tokens) if t != tokens[0]), 1)
    positions = [i for i, v in enumerate(valid) if v and i >= first]
    return Snapshot(positions, [tokens[i] for i in positions], [fixed[i] for i in positions])


def follow(snapshots: list[Snapshot], mask: int) -> list[list[Cell]]:
    """The cells of one sequence in each state of its trajectory."""
    first = snapshots[0]
    states = [[Cell(t, f, 0, 0) for t, f in zip(first.tokens, first.fixed, strict=True)]]
    for step, (before, after) in enumerate(pairwise(snapshots), 1):
        states.append(carried(states[-1], before, after, step, mask))
    return states


def carried(
    cells: list[Cell], before: Snapshot, after: Snapshot, step: int, mask: int
) -> list[Cell]:
    """The cells of the state `after`: unchanged cells are carried over, the others are new."""
    now: list[Cell] = []
    done = 0
    for change in changes(before.tokens, after.tokens, before.positions == after.positions):
        start, end, new_start, new_end = change
        paired = end - start == new_end - new_start
        writes = [c.writes for c in cells[start:end]] if paired else [0] * (new_end - new_start)
        now += cells[done:start]
        for i, earlier in enumerate(writes, new_start):
            token, fixed = after.tokens[i], after.fixed[i]
            now.append(Cell(token, fixed, step, earlier + (token != mask and not fixed)))
        done = end
    return now + cells[done:]


def changes(before: list, after: list, same_positions: bool) -> list[Change]:
    """The differences from left to right, position by position if the positions are the same."""
    if same_positions:
        pairs = enumerate(zip(before, after, strict=True))
        return [Change(i, i + 1, i, i + 1) for i, (old, new) in pairs if old != new]
    head = common_prefix(before, after)
    old, new = before[head:], after[head:]
    tail = common_prefix(old[::-1], new[::-1])
    old, new = old[: len(old) - tail], new[: len(new) - tail]
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [Change(*(i + head for i in c[1:])) for c in codes if c[0] != "equal"]


def common_prefix(a: list, b: list) -> int:
    """The length of the common prefix."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
