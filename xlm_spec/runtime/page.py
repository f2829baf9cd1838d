"""`generate --html`: one page of trajectories, the samplers side by side; it needs nothing else.

page.html is filled with page.css, page.js, the final texts (read without JavaScript too) and the
trajectories as JSON, each state as what changed since the one before.
"""

import dataclasses
import json
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from itertools import groupby, takewhile
from pathlib import Path
from string import Template

import torch

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.ages import Cell, changes, follow, row_of
from xlm_spec.runtime.choose import Run
from xlm_spec.runtime.loaded import Loaded
from xlm_spec.runtime.scoring import Drawn

Trajectory = list[list[Cell]]  # the cells of each state
POINTS = 33  # of the schedule's curve


def write(file: Path, text: str, mode: str = "w") -> None:
    """Raises Failed (X704). In mode "a" an empty text changes nothing, yet fails if any would."""
    try:
        with file.open(mode, encoding="utf-8", errors="xmlcharrefreplace", newline="\n") as out:
            out.write(text)
    except OSError as e:
        told = f"cannot write the page: {e.strerror}"
        raise Failed(Diagnostic("X704", told, file=str(file))) from None


def page(loaded: Loaded, seed: int, drawn: dict[str, Drawn]) -> str:
    """The page of what each sampler drew for the same prompts."""
    run, vocab = loaded.run, loaded.run.config.vocab
    samples = trajectories(drawn, vocab.mask)
    told = data(run, drawn, samples)
    return Template(part("page.html")).substitute(
        title=escape(f"{run.name} on {run.task.name}"),
        facts=escape(" · ".join(facts(loaded, seed))),
        style=part("page.css"),
        script=part("page.js"),
        samples="\n".join(sample(run, i, samples) for i in range(len(samples))),
        data=embedded(told),
    )


def part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def embedded(told: dict) -> str:
    """JSON that no text in it can end: `</script>` and `<!--` begin with an escaped `<`."""
    return json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")


def facts(loaded: Loaded, seed: int) -> list[str]:
    weights = sum(p.numel() for p in loaded.model.parameters())
    step = "" if loaded.step is None else f" of step {loaded.step}"
    name = loaded.checkpoint.name
    return [f"{name}{step}", f"size {loaded.run.size}", f"{weights:,} parameters", f"seed {seed}"]


def trajectories(drawn: dict[str, Drawn], mask: int) -> list[dict[str, Trajectory]]:
    """For each prompt what every sampler did."""
    rows = range(len(next(iter(drawn.values())).answers))
    return [
        {name: follow([row_of(s, row) for s in d.states], mask) for name, d in drawn.items()}
        for row in rows
    ]


def data(run: Run, drawn: dict[str, Drawn], samples: list[dict[str, Trajectory]]) -> dict:
    """What page.js reads."""
    words, vocab = run.task.words, dataclasses.asdict(run.config.vocab)
    states = (cells for of in samples for trajectory in of.values() for cells in trajectory)
    seen = sorted({c.token for cells in states for c in cells})
    return {
        "words": {t: words.decode([t]) or words.show(t, vocab) for t in seen},
        "mask": vocab["mask"],
        "eos": vocab["eos"],
        "spaced": spaced(run, seen),
        "curve": curve(run),
        "samples": [[frames(t, drawn[name].spent) for name, t in of.items()] for of in samples],
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


def sample(run: Run, place: int, samples: list[dict[str, Trajectory]]) -> str:
    """A prompt's panels, each with its final text."""
    panels = [
        f'<article class="panel"><header><div><h3>{escape(name)}</h3></div></header>'
        f'<p class="text" dir="auto">{final(run, trajectory[-1])}</p></article>'
        for name, trajectory in samples[place].items()
    ]
    title = f"<h2>Sample {place + 1} of {len(samples)}</h2>"
    return f'<section>{title}<div class="panels">{"".join(panels)}</div></section>'


def final(run: Run, cells: list[Cell]) -> str:
    """The text up to the end that was written, the given parts marked."""
    kept = list(takewhile(lambda c: c.given or c.token != run.config.vocab.eos, cells))
    between = " " if spaced(run, {c.token for c in kept}) else ""
    runs = groupby(kept, key=lambda c: c.given)
    texts = [(given, escape(run.task.words.decode([c.token for c in of]))) for given, of in runs]
    return between.join(f'<span class="given">{t}</span>' if given else t for given, t in texts)
