"""The trajectory player of a page: several samplers, of one or more methods, step by step.

player.html is filled with player.js, the final texts (readable without JavaScript) and the
trajectories as JSON, each state as its difference from the previous one.
"""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from itertools import groupby, pairwise, takewhile
from string import Template

import torch

from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.evaluation.scoring import SampleResult
from xlm_spec.runtime.generation.token_age import NOTHING, Cell, changes, follow, snapshot

Trajectory = list[list[Cell]]  # the cells of each state
POINTS = 33  # of the curve of the schedule


@dataclass(frozen=True)
class SampledMethod:
    """The results of the samplers of a method, for prompts that all methods share."""

    run: Run
    results: dict[str, SampleResult]
    name: str = ""  # of the method, if there are several

    @cached_property
    def samples(self) -> list[dict[str, Trajectory]]:
        return trajectories(self.results, self.run.config.vocab.mask)


def player(methods: Sequence[SampledMethod]) -> str:
    """The HTML of the player; page.css has its style."""
    prompts = range(len(methods[0].samples))
    return Template(part("player.html")).substitute(
        script=part("player.js"),
        samples="\n".join(sample(methods, i) for i in prompts),
        data=embedded({"methods": [data(m) for m in methods]}),
    )


def part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def embedded(record: dict) -> str:
    """JSON for a <script> element: `<` is escaped, so no text can contain `</script>` or `<!--`."""
    return json.dumps(record, separators=(",", ":")).replace("<", "\\u003c")


def trajectories(results: dict[str, SampleResult], mask: int) -> list[dict[str, Trajectory]]:
    """For each prompt the trajectory of each sampler."""
    rows = range(len(next(iter(results.values())).answers))
    return [
        {name: follow([snapshot(s, row) for s in r.states], mask) for name, r in results.items()}
        for row in rows
    ]


def data(method: SampledMethod) -> dict:
    """The data of a method for player.js."""
    run, samples = method.run, method.samples
    tokenizer, vocab = run.task.tokenizer, dataclasses.asdict(run.config.vocab)
    states = (cells for of in samples for trajectory in of.values() for cells in trajectory)
    tokens = sorted({t for cells in states for c in cells for t in (c.token, c.was)} - {NOTHING})
    calls = {name: r.calls_until for name, r in method.results.items()}
    return {
        "words": {t: tokenizer.decode([t]) or tokenizer.show(t, vocab) for t in tokens},
        "mask": vocab["mask"],
        "eos": vocab["eos"],
        "spaced": spaced(run, tokens),
        "curve": curve(run),
        "edits": edited(samples),
        "samples": [[frames(t, calls[name]) for name, t in of.items()] for of in samples],
    }


def edited(samples: Iterable[dict[str, Trajectory]]) -> bool:
    """True if a sampler deletes tokens, or inserts some and substitutes others."""
    every = [t for of in samples for t in of.values()]
    cells = [c for trajectory in every for state in trajectory for c in state]
    grows = any(len(a) != len(b) for t in every for a, b in pairwise(t))
    return any(c.gone for c in cells) or (grows and any(c.was != NOTHING for c in cells))


def spaced(run: Run, tokens: Iterable[int]) -> bool:
    """True if the tokens of a text are separated, as words are and characters are not."""
    decode = run.task.tokenizer.decode
    return any(decode([t, t]) != 2 * decode([t]) for t in tokens)


def curve(run: Run) -> list[float]:
    """alpha(t) on a uniform grid of [0, 1]; empty if the method has no schedule."""
    schedule = getattr(getattr(run.config, "noise", None), "schedule", None)
    if schedule is None:
        return []
    return [round(a, 4) for a in schedule.alpha(torch.linspace(0, 1, POINTS)).tolist()]


def frames(trajectory: Trajectory, calls_until: list[int]) -> list:
    """[step, network calls so far, [[index, cells removed, cells added], ...]] of each state.

    An inner state without a network call and without a change is left out.
    """
    kept: list = []
    before: list[Cell] = []
    last = len(trajectory) - 1
    for step, (cells, calls) in enumerate(zip(trajectory, calls_until, strict=True)):
        if 0 < step < last and cells == before and calls == kept[-1][1]:
            continue
        kept.append([step, calls, splices(before, cells)])
        before = cells
    return kept


def splices(before: list[Cell], after: list[Cell]) -> list:
    """A cell is [token, step in which it was written, writes, replaced token if any].

    `writes` is -1 if it is fixed, -2 if it is deleted.
    """
    return [
        [c.start, c.end - c.start, [coded(x) for x in after[c.new_start : c.new_end]]]
        for c in changes(before, after, len(before) == len(after))
    ]


def coded(cell: Cell) -> list[int]:
    writes = -2 if cell.gone else -1 if cell.fixed else cell.writes
    return [cell.token, cell.since, writes, *([cell.was] if cell.was != NOTHING else [])]


def sample(methods: Sequence[SampledMethod], prompt: int) -> str:
    """The panels of a prompt, each with its final text."""
    panels = [
        f'<article class="panel"><header><div><h3>{escape(title(m, sampler))}</h3></div></header>'
        f'<p class="text" dir="auto">{final(m.run, trajectory[-1])}</p></article>'
        for m in methods
        for sampler, trajectory in m.samples[prompt].items()
    ]
    heading = f"<h2>Sample {prompt + 1} of {len(methods[0].samples)}</h2>"
    return f'<section>{heading}<div class="panels">{"".join(panels)}</div></section>'


def title(method: SampledMethod, sampler: str) -> str:
    return f"{method.name} · {sampler}" if method.name else sampler


def final(run: Run, cells: list[Cell]) -> str:
    """The text up to the first generated EOS, with the fixed parts marked."""
    there = (c for c in cells if not c.gone)
    kept = list(takewhile(lambda c: c.fixed or c.token != run.config.vocab.eos, there))
    between = " " if spaced(run, {c.token for c in kept}) else ""
    runs = groupby(kept, key=lambda c: c.fixed)
    texts = [
        (fixed, escape(run.task.tokenizer.decode([c.token for c in of]))) for fixed, of in runs
    ]
    return between.join(f'<span class="fixed">{t}</span>' if fixed else t for fixed, t in texts)
