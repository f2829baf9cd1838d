"""A trajectory in the terminal, step by step, with new tokens highlighted."""

import dataclasses
import os
import time
import unicodedata

from xlm_spec.diagnostics import wants_colour
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.generation.token_age import NOTHING, Cell, follow, snapshot

AGES = ("\33[1;97;42m", "\33[92m", "\33[32m", "\33[36m", "\33[34m")  # from new to old
GONE, SWAPPED = "\33[9;31m", "\33[4m"  # a deleted token, struck out for a step; a substituted one
DIM, PLAIN, CLEAR = "\33[2m", "\33[0m", "\33[K"
UP, BELOW = "\33[1A", "\33[J"  # one line up; erase all below the cursor
INDENT = 6  # columns of the step number
PAUSE = 0.15  # seconds between steps on a terminal


class Screen:
    """Shows the states of the first sequences: redrawn on a terminal, else one line per step.

    On a terminal long sequences are wrapped.
    """

    def __init__(self, run: Run, stream, rows: int = 3):
        self.tokenizer, self.stream, self.rows = run.task.tokenizer, stream, rows
        self.vocab = dataclasses.asdict(run.config.vocab)
        self.colour = wants_colour(stream)
        self.width = columns(stream) if self.colour else None

    def show(self, states: list) -> None:
        rows = range(min(self.rows, len(states[0].tokens)))
        trajectories = [
            follow([snapshot(s, row) for s in states], self.vocab["mask"]) for row in rows
        ]
        before = 0  # lines of the last step
        for step, cells in enumerate(zip(*trajectories, strict=True)):
            lines = [x for row in cells for x in self.lines(step, self.shown(row))]
            again = UP * before + BELOW * (before > len(lines)) if self.colour else ""
            self.stream.write(again + "".join(f"{line}\n" for line in lines))
            self.stream.flush()
            before = len(lines)
            if self.colour:
                time.sleep(PAUSE)

    def shown(self, cells: list[Cell]) -> list[Cell]:
        """The free cells; deleted ones only in colour."""
        return [c for c in cells if not c.fixed and (self.colour or not c.gone)]

    def lines(self, step: int, cells: list[Cell]) -> list[str]:
        """The lines of one sequence of a state, wrapped to the terminal."""
        wide, joint = self.tokenizer.widest, self.tokenizer.joint
        lines, used = [f"{step:4}  "], INDENT
        for i, c in enumerate(cells):
            text = self.tokenizer.show(c.token, self.vocab).rjust(wide)
            taken = width_of(text) + len(joint) * (i > 0)
            if self.width and used + taken > self.width and used > INDENT:
                lines.append(" " * INDENT)
                used, taken = INDENT, width_of(text)
            elif i:
                lines[-1] += joint
            lines[-1] += self.cell(text, c, step)
            used += taken
        return [f"{line}{CLEAR * self.colour}" for line in lines]

    def age(self, cell: Cell, step: int) -> int | None:
        """Steps since the token was written; None for masks and tokens of the initial state."""
        written = cell.writes and cell.token != self.vocab["mask"]
        return step - cell.since if written else None

    def cell(self, text: str, cell: Cell, step: int) -> str:
        if not self.colour:
            return text
        age = self.age(cell, step)
        colour = DIM if age is None else AGES[min(age, len(AGES) - 1)]
        swapped = SWAPPED * (cell.was != NOTHING)
        return f"{GONE if cell.gone else swapped + colour}{text}{PLAIN}"


def columns(stream) -> int | None:
    """The columns of a terminal, less one: some terminals wrap after the last."""
    try:
        return max(INDENT + 1, os.get_terminal_size(stream.fileno()).columns - 1)
    except (OSError, ValueError):
        return None


def width_of(text: str) -> int:
    """The width of a text on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
