"""How old the tokens of a trajectory are, from aligning its successive states.

States of one and the same set of sites are aligned site by site. Where sites came or went, tokens
are pushed apart: then what both states have in common, in the same order, stays what it was.
"""

from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple


class Row(NamedTuple):
    """The valid sites of a row in reading order, without BOS."""

    sites: list[int]
    tokens: list[int]
    given: list[bool]


class Cell(NamedTuple):
    """What stands at a place of a row."""

    token: int
    given: bool
    since: int  # the step in which it came here, 0 in the first state
    writes: int  # tokens written here so far; a mask is none, nor is what the first state holds


class Change(NamedTuple):
    """The places [at, behind) are now the places [to_at, to_behind)."""

    at: int
    behind: int
    to_at: int
    to_behind: int


def row_of(state, row: int) -> Row:
    """A row without the BOS that it begins with; before a short prompt there are several."""
    tokens, valid, given = (a[row].tolist() for a in (state.tokens, state.valid, state.fixed))
    begins = next((i for i, t in enumerate(tokens) if t != tokens[0]), 1)
    sites = [i for i, v in enumerate(valid) if v and i >= begins]
    return Row(sites, [tokens[i] for i in sites], [given[i] for i in sites])


def follow(rows: list[Row], mask: int) -> list[list[Cell]]:
    """The cells of a row in every state of its trajectory."""
    first = rows[0]
    states = [[Cell(t, g, 0, 0) for t, g in zip(first.tokens, first.given, strict=True)]]
    for step, (before, after) in enumerate(pairwise(rows), 1):
        states.append(carried(states[-1], before, after, step, mask))
    return states


def carried(cells: list[Cell], before: Row, after: Row, step: int, mask: int) -> list[Cell]:
    """The cells of the state `after`: those that nothing happened to, and new ones."""
    now: list[Cell] = []
    done = 0
    for change in changes(before.tokens, after.tokens, before.sites == after.sites):
        at, behind, to_at, to_behind = change
        paired = behind - at == to_behind - to_at
        writes = [c.writes for c in cells[at:behind]] if paired else [0] * (to_behind - to_at)
        now += cells[done:at]
        for place, earlier in enumerate(writes, to_at):
            token, given = after.tokens[place], after.given[place]
            now.append(Cell(token, given, step, earlier + (token != mask and not given)))
        done = behind
    return now + cells[done:]


def changes(before: list, after: list, in_place: bool) -> list[Change]:
    """What differs, from left to right; `in_place`: site by site, nothing came or went."""
    if in_place:
        pairs = enumerate(zip(before, after, strict=True))
        return [Change(i, i + 1, i, i + 1) for i, (old, new) in pairs if old != new]
    head = shared(before, after)
    old, new = before[head:], after[head:]
    tail = shared(old[::-1], new[::-1])
    old, new = old[: len(old) - tail], new[: len(new) - tail]
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [Change(*(place + head for place in c[1:])) for c in codes if c[0] != "equal"]


def shared(a: list, b: list) -> int:
    """How many items both begin with; these and those at the end need no search."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
