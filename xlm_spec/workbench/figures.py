"""Measurements over seeds: means and standard deviations, as numbers and as a table."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan

COSTS = ("steps", "network_calls", "calls_per_example", "seconds", "sampling_seconds")
COUNTS = ("examples", "samples", "draws")
STATED = ("protocol", "sequences", "likelihood", "draws", "judge")  # of text
LOSSES = {  # kind -> how the table says it: losses of different kinds do not compare
    "exact": "exact NLL",
    "bound": "bound of NLL",
    "objective": "objective",
}
LIKELIHOOD = ("nll", "nelbo")  # in the table as bits per character
OF_LIKELIHOOD = (*LIKELIHOOD, "bits_per_token", "nats_per_character", "nats_per_byte")  # the same
KINDS = {  # what a likelihood is -> how the table says it
    "exact": "exact",
    "monte_carlo_bound": "bound (Monte Carlo)",
    "time_stratified_bound": "bound (strata of time)",
    "count_stratified_bound": "bound (strata of counts)",
}


@dataclass(frozen=True)
class Figure:
    """The values of all seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.mean(self.values)

    @property
    def sd(self) -> float | None:
        """The standard deviation over seeds; None for one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def text(self, form: str = "{:.1f}", scale: float = 1.0) -> str:
        if not all(isfinite(v) for v in self.values):
            return "-"  # a run was too short to measure it
        if len(set(self.values)) == 1 and isinstance(self.values[0], int):
            return form.format(self.values[0])  # a setting has no spread
        return spread([scale * v for v in self.values], form)

    def as_json(self) -> dict:
        if not all(isfinite(v) for v in self.values):
            return {"mean": None, "sd": None, "values": []}
        return {"mean": self.mean, "sd": self.sd, "values": list(self.values)}


@dataclass(frozen=True)
class Row:
    """The row of a sampler of a method."""

    method: str
    sampler: str
    figures: dict[str, Figure]  # metrics of the task; `loss` in nats per token
    cost: dict[str, Figure]  # calls, samples/s, tokens/s in training, parameters, steps
    bound: bool | None  # True: likelihood bound; False: exact; None: no likelihood
    examples: int
    loss_kind: str = ""  # `exact`, `bound` or `objective`; "": unknown
    protocol: Mapping[str, object] = field(default_factory=dict)  # of text: what the figures are

    def as_json(self) -> dict:
        figures = {k: f.as_json() for k, f in (self.figures | self.cost).items()}
        record = {"method": self.method, "sampler": self.sampler, "examples": self.examples}
        record |= {"loss_kind": self.loss_kind} if self.loss_kind else {}
        record |= self.protocol
        return record | ({} if self.bound is None else {"bound": self.bound}) | figures


def row(method: str, sampler: str, results: Sequence[dict], runs: dict[str, Figure]) -> Row:
    """The row from the output of `eval` for each seed, and the cost of training."""
    examples, bound = results[0]["examples"], results[0].get("bound")
    samples = results[0].get("samples", examples)
    speed = [r["sampling_seconds"] for r in results]
    cost = {
        "calls_per_example": Figure(tuple(r["calls_per_example"] for r in results)),
        "samples_per_second": Figure(tuple(samples / s if s else nan for s in speed)),
    }
    figures = {k: Figure(tuple(r[k] for r in results)) for k in measured(results[0])}
    kind = results[0].get("loss_kind", "")
    said = {k: results[0][k] for k in STATED if k in results[0]}
    return Row(method, sampler, figures, cost | runs, bound, examples, kind, said)


def measured(result: dict) -> list[str]:
    """The names of the metrics: the numbers that are no cost, count or error."""
    numbers = [k for k, v in result.items() if isinstance(v, int | float) and v is not True]
    numbers = [k for k in numbers if not isinstance(result[k], bool)]
    return [k for k in numbers if k not in (*COSTS, *COUNTS) and not k.endswith("_error")]


def spread(values: Sequence[float], form: str = "{:.1f}") -> str:
    """Mean ± standard deviation over seeds."""
    mean = form.format(statistics.mean(values))
    return f"{mean} ± {form.format(statistics.stdev(values))}" if len(values) > 1 else mean


def columns(rows: Sequence[Row]) -> list[dict[str, str]]:
    """The cells of each row, by heading."""
    names = list(dict.fromkeys(k for r in rows for k in r.figures if k not in OF_LIKELIHOOD))
    return [cells(r, names, any(r.bound is not None for r in rows)) for r in rows]


def cells(r: Row, names: list[str], likely: bool) -> dict[str, str]:
    kind = {None: "none", True: "bound", False: "exact"}[r.bound]
    kind = KINDS.get(str(r.protocol.get("likelihood")), kind)
    out = {"method": r.method, "sampler": r.sampler}
    for k in names:
        out[heading(k)] = shown(k, r.figures.get(k))
        out |= {"the loss is": LOSSES.get(r.loss_kind, "-")} if k == "loss" else {}
    out |= {"likelihood": kind} if likely else {}
    return out | {
        "calls/example": r.cost["calls_per_example"].text(),
        "samples/s": r.cost["samples_per_second"].text("{:,.0f}"),
        "training tokens/s": r.cost["tokens_per_second"].text("{:,.0f}"),
        "parameters": r.cost["parameters"].text("{:,.0f}"),
        "steps": r.cost["steps"].text("{:,.0f}"),
        "n": f"{r.examples:,}",
    }


def heading(name: str) -> str:
    words = {
        "loss": "loss, nats/token",
        "bits_per_character": "bits/character",
        "bits_per_byte": "bits/byte",
        "generative_nll": "judge NLL",
    }
    if name.endswith("accuracy"):
        return f"{name.replace('_', ' ')} %"
    return words.get(name, name.replace("_", " "))


def shown(name: str, figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return figure.text(scale=100) if name.endswith("accuracy") else figure.text("{:.3f}")


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as aligned columns."""
    heads = list(rows[0])
    cells = [heads, *([str(r[h]) for h in heads] for r in rows)]
    wide = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, wide, strict=True)) for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    heads = list(rows[0])
    lines = [heads, ["---"] * len(heads), *([r[h] for h in heads] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
