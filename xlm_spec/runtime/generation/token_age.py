"""The age of each token in a trajectory, by aligning successive states.

If two states hold the same positions, they are compared position by position. If positions were
inserted or deleted, as few tokens as possible are inserted, deleted or substituted (in long texts
the common subsequence is kept). A deleted token stays for one state, as a cell that is `gone`.
"""

from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

NOTHING = -1
MOST = 1 << 16  # pairs of tokens of two states that are compared


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
    was: int = NOTHING  # the token in whose place it was written
    gone: bool = False  # deleted in the step `since`: not part of the state


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
    cells = [c for c in cells if not c.gone]
    now: list[Cell] = []
    done = 0
    same = before.positions == after.positions
    for start, end, new_start, new_end in edits(before.tokens, after.tokens, same):
        now += cells[done:start]
        old = cells[start:end]
        for i in range(new_start, new_end):
            token, fixed = after.tokens[i], after.fixed[i]
            at, writes, was = i - new_start, int(after.tokens[i] != mask and not fixed), NOTHING
            if at < len(old):
                writes += old[at].writes
                was = NOTHING if mask in (old[at].token, token) else old[at].token
            now.append(Cell(token, fixed, step, writes, was))
        deleted = old[new_end - new_start :]
        now += [c._replace(since=step, gone=True) for c in deleted if c.token != mask]
        done = end
    return now + cells[done:]


def edits(before: list, after: list, same_positions: bool) -> list[Change]:
    """Like `changes`, with as few edits as possible: one token each if positions differ."""
    found = changes(before, after, same_positions)
    if same_positions or not found:
        return found
    start, _, new_start, _ = found[0]
    _, end, _, new_end = found[-1]
    if (end - start) * (new_end - new_start) > MOST:
        return found
    script = fewest(before[start:end], after[new_start:new_end])
    return [Change(a + start, b + start, c + new_start, d + new_start) for a, b, c, d in script]


def fewest(old: list, new: list) -> list[Change]:
    """The edits of a minimal alignment; of several, those with a substitution further right."""
    cost = [[*range(len(new) + 1)]]
    for i, token in enumerate(old, 1):
        above, row = cost[-1], [i]
        for j, other in enumerate(new, 1):
            row.append(min(above[j - 1] + (token != other), above[j] + 1, row[-1] + 1))
        cost.append(row)
    i, j, found = len(old), len(new), list[Change]()
    while i or j:
        differ = i > 0 and j > 0 and old[i - 1] != new[j - 1]
        if i and j and cost[i][j] == cost[i - 1][j - 1] + differ:
            i, j = i - 1, j - 1
            found += [Change(i, i + 1, j, j + 1)] if differ else []
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            found.append(Change(i, i + 1, j, j))
        else:
            j -= 1
            found.append(Change(i, i, j, j + 1))
    return found[::-1]


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
