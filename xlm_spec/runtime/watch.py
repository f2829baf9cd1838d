"""A trajectory in the terminal: what a sampler writes, step by step, new tokens bright."""

import dataclasses
import time

from xlm_spec.diagnostics import wants_colour
from xlm_spec.runtime.choose import Run

AGES = ("\33[1;97;42m", "\33[92m", "\33[32m", "\33[36m", "\33[34m")  # from new to old
GIVEN, PLAIN = "\33[2m", "\33[0m"
UNWRITTEN = ("_", "")  # a mask, a site behind the end
PAUSE = 0.15  # seconds between steps on a terminal


class Screen:
    """Shows the states of the first rows; on a terminal in place, elsewhere a line a step."""

    def __init__(self, run: Run, stream, rows: int = 3):
        self.words, self.stream, self.rows = run.task.words, stream, rows
        self.vocab = dataclasses.asdict(run.config.vocab)
        self.colour = wants_colour(stream)

    def show(self, start, states: list) -> None:
        rows = min(self.rows, len(start.tokens))
        ages: list[dict[int, int]] = [{} for _ in range(rows)]  # site -> step it came in
        before = [self.tokens(start, row, start) for row in range(rows)]
        for step, state in enumerate(states):
            if self.colour and step:
                self.stream.write(f"\33[{rows}A")
            for row in range(rows):
                now = self.tokens(state, row, start)
                for site, (old, new) in enumerate(zip(before[row], now, strict=True)):
                    if old != new and new not in UNWRITTEN:
                        ages[row][site] = step
                before[row] = now
                self.stream.write(self.line(step, now, ages[row]) + "\n")
            self.stream.flush()
            if self.colour:
                time.sleep(PAUSE)

    def tokens(self, state, row: int, start) -> list[str]:
        """What stands at each free site of a row; nothing where nothing was written yet."""
        free = (start.valid & ~start.fixed)[row].tolist()
        ids, valid = state.tokens[row].tolist(), state.valid[row].tolist()
        unwritten = self.vocab["pad"]
        return [
            self.words.show(t if v else unwritten, self.vocab)
            for t, v, f in zip(ids, valid, free, strict=True)
            if f
        ]

    def line(self, step: int, tokens: list[str], ages: dict[int, int]) -> str:
        wide = self.words.widest
        cells = [self.cell(t.rjust(wide), step, ages.get(i)) for i, t in enumerate(tokens)]
        return f"{step:4}  " + self.words.joint.join(cells)

    def cell(self, text: str, step: int, born: int | None) -> str:
        if not self.colour:
            return text
        colour = GIVEN if born is None else AGES[min(step - born, len(AGES) - 1)]
        return f"{colour}{text}{PLAIN}"
