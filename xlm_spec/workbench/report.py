"""OUT/report.html: table, curves, trajectories, differences and commands in one file."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

import torch

from xlm_spec import __version__
from xlm_spec.compiler.diff import Section, differences
from xlm_spec.runtime.evaluation.frontier import Point as FrontierPoint
from xlm_spec.runtime.evaluation.frontier_plot import plot
from xlm_spec.runtime.generation.generate import sample_prompts
from xlm_spec.runtime.generation.player import SampledMethod, part, player
from xlm_spec.runtime.generation.prompts import prompts_to_continue
from xlm_spec.workbench.chart import Line, chart, legend
from xlm_spec.workbench.curves import Point, curve, logged, names, values
from xlm_spec.workbench.figures import LOSSES, Row, columns, heading
from xlm_spec.workbench.method import Method
from xlm_spec.workbench.packages import load_trained
from xlm_spec.workbench.request import Request
from xlm_spec.workbench.sweep import EXAMPLES, sweep
from xlm_spec.workbench.trials import Trial

PROMPTS = 3
LARGEST = 4_000_000  # characters of the trajectories, so that the page stays below 5 MB


@dataclass(frozen=True)
class Comparison:
    """A request and its results."""

    request: Request
    methods: list[Method]
    trials: list[Trial]
    rows: list[Row]
    caption: str
    frontier: Sequence[FrontierPoint] = ()

    def of(self, method: Method) -> list[Trial]:
        """The runs of a method, by seed."""
        return [t for t in self.trials if t.method is method]


def report(comparison: Comparison) -> str:
    """The page. It works offline, and shows everything except the player without JavaScript."""
    own = files(__package__).joinpath
    title = (
        f"{', '.join(m.name for m in comparison.methods)} on {comparison.methods[0].run.task.name}"
    )
    return Template(own("report.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=part("page.css") + own("report.css").read_text(encoding="utf-8"),
        caption=escape(comparison.caption),
        table=table(columns(comparison.rows)),
        curves=learning(comparison),
        calls=calls(comparison),
        frontier=frontier(comparison),
        player=trajectories(comparison),
        differences=difference_table(
            differences([m.plan for m in comparison.methods]), comparison.methods
        ),
        run=commands(comparison),
    )


def table(rows: Sequence[dict[str, str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in rows[0])
    lines = ["".join(f"<td>{escape(v)}</td>" for v in r.values()) for r in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wide" tabindex="0"><table class="figures"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def learning(comparison: Comparison) -> str:
    """A chart for each logged value, with a line for each method."""
    lines = {m.name: [logged(t.folder) for t in comparison.of(m)] for m in comparison.methods}
    all_lines = [x for runs in lines.values() for run in runs for x in run]
    wanted = [("train", "loss")] + [("val", n) for n in names(all_lines, "val")]
    charts = []
    for split, name in wanted:
        scale = 100 if name.endswith("accuracy") else 1
        drawn = []
        for i, (method, runs) in enumerate(lines.items()):
            points = curve([values(run, split, name) for run in runs])
            points = [Point(p.x, scale * p.mean, scale * p.sd) for p in points]
            drawn.append(Line(method, points, i, dots=len(points) < 30))
        title = f"{'training' if split == 'train' else 'validation'}: {heading(name)}"
        charts.append(chart(title, "training step", heading(name), drawn))
    key = legend([Line(m.name, (), i) for i, m in enumerate(comparison.methods)])
    first = ", ".join(f"{m.name}: {m.samplers[0]}" for m in comparison.methods)
    note = f"Validation samples with the first sampler of each ({first})."
    kinds = {r.method: LOSSES[r.loss_kind] for r in comparison.rows if r.loss_kind}
    if len({*kinds.values()}) > 1:
        listed = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
        note += f" Losses of different kinds do not compare ({listed})."
    return f'{key}<div class="charts">{"".join(charts)}</div><p class="note">{escape(note)}</p>'


def calls(comparison: Comparison) -> str:
    """The first metric of the task against the number of function evaluations (NFE)."""
    name = next(iter(comparison.methods[0].run.task.metrics), None)
    if name is None:
        return ""
    scale = 100 if name.endswith("accuracy") else 1
    pairs = [(m, s) for m in comparison.methods for s in m.samplers]
    swept = {m.name: sweep(m.package, comparison.of(m)[0].folder) for m in comparison.methods}
    lines, keys = [], []
    for i, (m, sampler) in enumerate(pairs):
        label = f"{m.name} · {sampler}"
        swept_here = [p for p in swept[m.name] if p["sampler"] == sampler]
        points = sorted((p["calls_per_example"], scale * p[name]) for p in swept_here)
        lines.append(Line(label, [Point(x, y, 0) for x, y in points], i, dots=True))
        keys.append(Line(label, (), i))
    for i, (m, sampler) in enumerate(pairs):
        row = next(r for r in comparison.rows if (r.method, r.sampler) == (m.name, sampler))
        figure, cost = row.figures[name], row.cost["calls_per_example"]
        point = Point(cost.mean, scale * figure.mean, scale * (figure.sd or 0))
        label = f"{m.name} · {sampler}"
        lines.append(Line(label, [point], i, dots=True, joined=False, large=True))
    drawn = chart(heading(name), "NFE per example", heading(name), lines, log=True)
    note = (
        "Large: the figures of the table with their standard deviation. Small: the same model "
        f"(seed 0) with other numbers of steps, on at most {EXAMPLES} validation examples."
    )
    return f'{legend(keys)}<div class="charts">{drawn}</div><p class="note">{note}</p>'


def frontier(comparison: Comparison) -> str:
    """The section of the frontier; empty without a judge."""
    if not comparison.frontier:
        return ""
    judge = escape(comparison.request.judge)
    note = (
        f"Of seed 0, under {judge}; points of a curve differ in temperature. Bars: 95% of a "
        "bootstrap over samples. A curve is better where it lies below at equal entropy."
    )
    drawn = plot(comparison.frontier, ", ".join(m.name for m in comparison.methods))
    return (
        "<section><h2>Judge NLL against entropy</h2>"
        f'<figure>{drawn}</figure><p class="note">{note}</p></section>'
    )


def trajectories(comparison: Comparison) -> str:
    """The player, with as many prompts and samplers as fit into the page."""
    for n, every in ((PROMPTS, True), (1, True), (1, False)):
        text = player(
            [sampled_method(m, comparison.of(m)[0], n, every) for m in comparison.methods]
        )
        if len(text) <= LARGEST:
            return text
    return '<p class="note">The trajectories are too long for this page.</p>'


def sampled_method(method: Method, trial: Trial, n: int, every: bool) -> SampledMethod:
    """The results of all samplers of a method, or of its first, for the first test prompts."""
    trained = load_trained(method.package, trial.folder)
    prompts = prompts_to_continue(trained, [], n)
    samplers = method.samplers if every else method.samplers[:1]
    results = {s: sample_prompts(trained, s, prompts, 0, keep=True)[0] for s in samplers}
    return SampledMethod(trained.run, results, method.name)


def difference_table(sections: list[Section], methods: list[Method]) -> str:
    """A table of the differences by section, and a line with the equal sections."""
    rows = []
    for head, key, line_values in (line for s in sections for line in s.outline):
        name = f'<th scope="row" class="{"head" if head else "inner"}">{escape(head or key)}</th>'
        cells = (f"<td>{escape(v)}</td>" for v in line_values or [""] * len(methods))
        rows.append(f"<tr>{name}{''.join(cells)}</tr>")
    heads = "".join(f'<th scope="col">{escape(m.name)}</th>' for m in methods)
    equal = ", ".join(s.name for s in sections if not s.rows)
    note = f'<p class="note">Equal in all: {equal}.</p>' if equal and len(methods) > 1 else ""
    return (
        f'<div class="wide" tabindex="0"><table class="differences"><thead><tr><td></td>{heads}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{note}"
    )


def commands(comparison: Comparison) -> str:
    """The commands that repeat the comparison and each run."""
    lines = [again(comparison.request), ""]
    for t in comparison.trials:
        folder = shlex.quote(str(t.method.package))
        words = ["python", "-m", t.method.name, "train", *t.words, "--run", str(t.folder)]
        lines.append(f"(cd {folder} && {shlex.join(words)})")
    versions = f"xlm-spec {__version__}, torch {torch.__version__}"
    text = escape("\n".join(lines))
    return f'<p class="note">{escape(versions)}</p><pre class="wide" tabindex="0">{text}</pre>'


def again(request: Request) -> str:
    """The command that made this report."""
    words = ["xlm-spec", "compare", *request.specs, "--task", request.task, "--size", request.size]
    if request.budget.unit != "own":
        words += [f"--{request.budget.unit}", f"{request.budget.amount:g}"]
    words += ["--judge", request.judge] if request.judge else []
    words += ["--seeds", str(request.seeds), "--jobs", str(request.jobs)]
    words += [w for s in request.sets for w in ("--set", s)]
    return shlex.join([*words, "--out", str(request.out)])
