"""Trajectories that play in a page: what several samplers, of several methods, wrote step by step.

player.html is filled with player.js, the final texts (read without JavaScript too) and the
trajectories as JSON, each state as what changed since the one before.
"""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from itertools import groupby, takewhile
from string import Template

import torch

from xlm_spec.runtime.ages import Cell, changes, follow, row_of
from xlm_spec.runtime.choose import Run
from xlm_spec.runtime.scoring import Drawn

Trajectory = list[list[Cell]]  # the cells of each state
POINTS = 33  # of the schedule's curve


@dataclass(frozen=True)
class Shown:
    """What the samplers of a method drew for the prompts that all methods share."""

    run: Run
    drawn: dict[str, Drawn]
    name: str = ""  # of the method, where there are several

    @cached_property
    def samples(self) -> list[dict[str, Trajectory]]:
        return trajectories(self.drawn, self.run.config.vocab.mask)


def player(shown: Sequence[Shown]) -> str:
    """The part of a page that plays them; page.css says how it looks."""
    prompts = range(len(shown[0].samples))
    return Template(part("player.html")).substitute(
        script=part("player.js"),
        samples="\n".join(sample(shown, i) for i in prompts),
        data=embedded({"methods": [data(s) for s in shown]}),
    )


def part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def embedded(told: dict) -> str:
    """JSON that no text in it can end: `</script>` and `<!--` begin with an escaped `<`."""
    return json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")


def trajectories(drawn: dict[str, Drawn], mask: int) -> list[dict[str, Trajectory]]:
    """For each prompt what every sampler did."""
    rows = range(len(next(iter(drawn.values())).answers))
    return [
        {name: follow([row_of(s, row) for s in d.states], mask) for name, d in drawn.items()}
        for row in rows
    ]


def data(shown: Shown) -> dict:
    """What player.js reads of a method."""
    run, samples = shown.run, shown.samples
    words, vocab = run.task.words, dataclasses.asdict(run.config.vocab)
    states = (cells for of in samples for trajectory in of.values() for cells in trajectory)
    seen = sorted({c.token for cells in states for c in cells})
    spent = {name: d.spent for name, d in shown.drawn.items()}
    return {
        "words": {t: words.decode([t]) or words.show(t, vocab) for t in seen},
        "mask": vocab["mask"],
        "eos": vocab["eos"],
        "spaced": spaced(run, seen),
        "curve": curve(run),
        "samples": [[frames(t, spent[name]) for name, t in of.items()] for of in samples],
    }


def spaced(run: Run, tokens: Iterable[int]) -> bool:
    """Does something stand between the tokens of a text? Not where they are characters."""
    decode = run.task.words.decode
    return any(decode([t, t]) != 2 * decode([t]) for t in tokens)


def curve(run: Run) -> list[float]:
    """alpha(t) at equal steps of t from 0 to 1; empty where the method has no schedule."""
    schedule = getattr(getattr(run.config, "noise", None), "schedule", None)
    if schedule is None:
        return []
    return [round(a, 4) for a in schedule.alpha(torch.linspace(0, 1, POINTS)).tolist()]


def frames(trajectory: Trajectory, spent: list[int]) -> list:
    """[step, network calls so far, [[place, cells gone, cells that came], ...]] of each state.

    Between the first and the last, a state that cost no call and changed nothing is left out.
    """
    told: list = []
    before: list[Cell] = []
    last = len(trajectory) - 1
    for step, (cells, calls) in enumerate(zip(trajectory, spent, strict=True)):
        if 0 < step < last and cells == before and calls == told[-1][1]:
            continue
        told.append([step, calls, splices(before, cells)])
        before = cells
    return told


def splices(before: list[Cell], after: list[Cell]) -> list:
    """A cell is [token, step in which it came, writes]; -1 writes: it was given."""
    return [
        [c.at, c.behind - c.at, [coded(x) for x in after[c.to_at : c.to_behind]]]
        for c in changes(before, after, len(before) == len(after))
    ]


def coded(cell: Cell) -> list[int]:
    return [cell.token, cell.since, -1 if cell.given else cell.writes]


def sample(shown: Sequence[Shown], place: int) -> str:
    """A prompt's panels, each with its final text."""
    panels = [
        f'<article class="panel"><header><div><h3>{escape(title(s, sampler))}</h3></div></header>'
        f'<p class="text" dir="auto">{final(s.run, trajectory[-1])}</p></article>'
        for s in shown
        for sampler, trajectory in s.samples[place].items()
    ]
    heading = f"<h2>Sample {place + 1} of {len(shown[0].samples)}</h2>"
    return f'<section>{heading}<div class="panels">{"".join(panels)}</div></section>'


def title(shown: Shown, sampler: str) -> str:
    return f"{shown.name} · {sampler}" if shown.name else sampler


def final(run: Run, cells: list[Cell]) -> str:
    """The text up to the end that was written, the given parts marked."""
    kept = list(takewhile(lambda c: c.given or c.token != run.config.vocab.eos, cells))
    between = " " if spaced(run, {c.token for c in kept}) else ""
    runs = groupby(kept, key=lambda c: c.given)
    texts = [(given, escape(run.task.words.decode([c.token for c in of]))) for given, of in runs]
    return between.join(f'<span class="given">{t}</span>' if given else t for given, t in texts)
