"""Sudoku: fill a grid so that each row, column and box has every digit once.

The prompt is the grid of `side` x `side` cells, row by row, with `.` for an empty cell; the answer
is the whole grid. Every puzzle has one solution, which singles find: cells where one digit is
possible, and digits for which a row, column or box has one cell. Grids of 4 x 4 are uniform over
all 288; those of 9 x 9 come from a search that tries digits in random order. `solved`: all rules
hold and all givens are kept, so the optimum is 1. `units`: share of the rows, columns and boxes
that have every digit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.tokenizers import WordTokenizer
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.tasks.generated import Example, Generated, share
from xlm_spec.runtime.tasks.task import ACCURACY, Metric

FEWEST = {4: 4, 9: 17}  # givens of any puzzle with one solution (arXiv:1201.0749)
SINGLES = {4: 4, 9: 32}  # givens of a puzzle that singles solve, if it is to be found by drawing
USUAL = {4: 6, 9: 36}


@dataclass(frozen=True)
class Options:
    """Options of sudoku.

    Also known as:
        givens: clues, hints
    """

    side: int = 4  # cells of a row: 4 or 9; in [4, 9]
    givens: int = 0  # cells of the prompt that have a digit; 0: 6 of 4 x 4, 36 of 9 x 9; in [0, 80]
    examples: int = 20_000  # puzzles for training; in [1, inf)
    seed: int = 42  # seed of the puzzles


@dataclass(frozen=True)
class Sudoku(Generated):
    """Sudoku of side 4 or 9; tokens are `.` (id 0) and the digits."""

    options: Options = Options()
    name = "sudoku"

    def require(self) -> None:
        side, givens = self.options.side, self.givens
        if side not in FEWEST:
            message = f"task `sudoku` has no grid of side {side}"
            raise Failed(Diagnostic("X506", message, "data.side is 4 or 9"))
        if givens < SINGLES[side]:
            message = f"data.givens = {givens}: task `sudoku` draws no such puzzle of side {side}"
            hint = (
                f"fewer than {SINGLES[side]} givens are too rare among puzzles that singles solve"
            )
            if givens < FEWEST[side]:
                hint = f"fewer than {FEWEST[side]} givens never have one solution"
            raise Failed(Diagnostic("X506", message, hint))
        if givens >= side**2:
            message = f"data.givens = {givens}: a grid of side {side} has {side**2} cells"
            raise Failed(Diagnostic("X506", message, "leave at least one of them empty"))

    @property
    def givens(self) -> int:
        return self.options.givens or USUAL.get(self.options.side, 0)

    @property
    def tokenizer(self) -> WordTokenizer:
        return WordTokenizer((".", *map(str, range(1, self.options.side + 1))))

    @property
    def longest_prompt(self) -> int:
        return self.options.side**2

    @property
    def longest_answer(self) -> int:
        return self.options.side**2

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return ACCURACY | {"solved": share(is_solved), "units": share(right_units)}

    def draw(self, seed: int, n: int) -> list[Example]:
        """Puzzles with exactly so many givens; the grids that keep more are dropped."""
        rng = Random(seed)
        grids = torch.tensor([full_grid(self.options.side, rng) for _ in range(n)])
        left = dug(grids, self.givens, generator(seed, "dig"))
        exact = left.sum(1) == self.givens
        prompts = (grids + 1).where(left, 0)[exact].tolist()
        return [*zip(prompts, (grids + 1)[exact].tolist(), strict=True)]


@cache
def units_of(side: int) -> tuple[tuple[int, int, int], ...]:
    """The row, the column and the box of each cell; all units are numbered from 0 to 3 side - 1."""
    box = round(side**0.5)
    cells = [divmod(c, side) for c in range(side**2)]
    return tuple((r, side + c, 2 * side + r // box * box + c // box) for r, c in cells)


def completions(side: int, rng: Random) -> Iterator[list[int]]:
    """Full grids, digits 0 .. side - 1 by cell; each cell tries the digits in random order."""
    units, last, every = units_of(side), side**2 - 1, (1 << side) - 1
    taken = [0] * (3 * side)  # digits of each unit, as bits
    grid, rest = [0] * (last + 1), [list[int]() for _ in range(last + 1)]
    at, entered = 0, True
    while at >= 0:
        row, column, box = units[at]
        if entered:
            free = every & ~(taken[row] | taken[column] | taken[box])
            rest[at] = [d for d in range(side) if free >> d & 1]
            rng.shuffle(rest[at])
        else:
            for unit in units[at]:
                taken[unit] ^= 1 << grid[at]
        if not rest[at]:
            at, entered = at - 1, False
            continue
        grid[at] = rest[at].pop()
        for unit in units[at]:
            taken[unit] ^= 1 << grid[at]
        entered = at < last
        if entered:
            at += 1
        else:
            yield [*grid]


@cache
def small_grids() -> tuple[tuple[int, ...], ...]:
    """All grids of side 4."""
    return tuple(map(tuple, completions(4, Random(0))))


def full_grid(side: int, rng: Random) -> list[int]:
    if side == 4:
        return [*rng.choice(small_grids())]
    return next(completions(side, rng))


def dug(grids: Tensor, givens: int, rng: torch.Generator) -> Tensor:
    """The cells that stay, (N, cells) bool: others are emptied in random order, while they may.

    grids: (N, cells), digits from 0. A cell may be emptied if its digit is a single for the cells
    that are left then. So singles fill the cells again, the one that was emptied last first, and
    the solution is unique. At least `givens` cells stay.
    """
    n, cells = grids.shape
    side = round(cells**0.5)
    units = torch.tensor(units_of(side))  # (cells, 3)
    every = torch.arange(cells)
    same = units[:, :, None] == units.T[None]  # (cells, 3, cells)
    same &= (every[:, None] != every)[:, None]
    peers = same.nonzero()[:, 2].view(cells, 3, side - 1)
    left = torch.ones(n, cells, dtype=torch.bool)
    placed = torch.ones(n, 3 * side, side, dtype=torch.bool)  # is a digit in a unit?
    i = torch.arange(n)
    i3, i4 = i[:, None], i[:, None, None]
    for cell in torch.rand(n, cells, generator=rng).argsort(1).T:  # (N,)
        digit, unit = grids[i, cell], units[cell]
        left[i, cell] = False
        placed[i3, unit, digit[:, None]] = False
        naked = placed[i3, unit].any(1).sum(1) == side - 1
        peer = peers[cell]  # (N, 3, side - 1)
        elsewhere = placed[i4[..., None], units[peer], digit[:, None, None, None]].any(-1)
        hidden = (left[i4, peer] | elsewhere).all(-1).any(-1)
        stays = ~(naked | hidden) | (left.sum(1) < givens)
        left[i[stays], cell[stays]] = True
        placed[i3[stays], unit[stays], digit[stays][:, None]] = True
    return left


def right_units(prompt: list[int], answer: list[int]) -> float:
    """Share of the rows, columns and boxes that have every digit; 0 for a wrong length."""
    if len(answer) != len(prompt):
        return 0.0
    side = round(len(prompt) ** 0.5)
    found = [set[int]() for _ in range(3 * side)]
    for digit, units in zip(answer, units_of(side), strict=True):
        for unit in units:
            found[unit].add(digit)
    every = {*range(1, side + 1)}
    return sum(digits == every for digits in found) / len(found)


def is_solved(prompt: list[int], answer: list[int]) -> bool:
    """Does an answer hold all rules and keep the givens?"""
    kept = all(p in (0, a) for p, a in zip(prompt, answer, strict=False))
    return kept and right_units(prompt, answer) == 1.0


TASK = Sudoku()
