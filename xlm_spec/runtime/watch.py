"""A trajectory in the terminal: what a sampler writes, step by step, new tokens bright."""

import dataclasses
import time

from xlm_spec.diagnostics import wants_colour
from xlm_spec.runtime.ages import Cell, follow, row_of
from xlm_spec.runtime.choose import Run

AGES = ("\33[1;97;42m", "\33[92m", "\33[32m", "\33[36m", "\33[34m")  # from new to old
GIVEN, PLAIN, CLEAR = "\33[2m", "\33[0m", "\33[K"
PAUSE = 0.15  # seconds between steps on a terminal


class Screen:
    """Shows the states of the first rows; on a terminal in place, elsewhere a line a step."""

    def __init__(self, run: Run, stream, rows: int = 3):
        self.words, self.stream, self.rows = run.task.words, stream, rows
        self.vocab = dataclasses.asdict(run.config.vocab)
        self.colour = wants_colour(stream)

    def show(self, states: list) -> None:
        rows = range(min(self.rows, len(states[0].tokens)))
        told = [follow([row_of(s, row) for s in states], self.vocab["mask"]) for row in rows]
        for step, cells in enumerate(zip(*told, strict=True)):
            if self.colour and step:
                self.stream.write(f"\33[{len(rows)}A")
            for row in cells:
                self.stream.write(self.line(step, [c for c in row if not c.given]) + "\n")
            self.stream.flush()
            if self.colour:
                time.sleep(PAUSE)

    def line(self, step: int, cells: list[Cell]) -> str:
        wide = self.words.widest
        shown = [
            (self.words.show(c.token, self.vocab).rjust(wide), self.age(c, step)) for c in cells
        ]
        told = self.words.joint.join(self.cell(*s) for s in shown)
        return f"{step:4}  {told}{CLEAR * self.colour}"

    def age(self, cell: Cell, step: int) -> int | None:
        """Steps since it was written; a mask has no age, nor has what a sampler started from."""
        written = cell.writes and cell.token != self.vocab["mask"]
        return step - cell.since if written else None

    def cell(self, text: str, age: int | None) -> str:
        if not self.colour:
            return text
        colour = GIVEN if age is None else AGES[min(age, len(AGES) - 1)]
        return f"{colour}{text}{PLAIN}"
