"""What was measured, over seeds: means and spreads, as numbers and as a table."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

COSTS = ("steps", "network_calls", "calls_per_example", "seconds", "sampling_seconds")
COUNTS = ("examples", "samples")
LIKELIHOOD = ("nll", "nelbo")  # in the table as bits per character


@dataclass(frozen=True)
class Figure:
    """A value of each seed."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.mean(self.values)

    @property
    def sd(self) -> float | None:
        """The standard deviation over seeds; None of one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def told(self, form: str = "{:.1f}", scale: float = 1.0) -> str:
        if not all(isfinite(v) for v in self.values):
            return "-"  # a run was too short to tell
        if len(set(self.values)) == 1 and isinstance(self.values[0], int):
            return form.format(self.values[0])  # a number that was chosen has no spread
        return spread([scale * v for v in self.values], form)

    def as_json(self) -> dict:
        if not all(isfinite(v) for v in self.values):
            return {"mean": None, "sd": None, "values": []}
        return {"mean": self.mean, "sd": self.sd, "values": list(self.values)}


@dataclass(frozen=True)
class Row:
    """A sampler of a method."""

    method: str
    sampler: str
    figures: dict[str, Figure]  # of the task; `loss` in nats per token
    cost: dict[str, Figure]  # calls, samples/s, tokens/s in training, parameters, steps
    bound: bool | None  # of the likelihood; None where there is none
    examples: int

    def as_json(self) -> dict:
        figures = {k: f.as_json() for k, f in (self.figures | self.cost).items()}
        told = {"method": self.method, "sampler": self.sampler, "examples": self.examples}
        return told | ({} if self.bound is None else {"bound": self.bound}) | figures


def row(method: str, sampler: str, found: Sequence[dict], runs: dict[str, Figure]) -> Row:
    """Of what `eval` printed for each seed, and what training cost."""
    drawn = found[0].get("samples", found[0]["examples"])
    speed = [f["sampling_seconds"] for f in found]
    cost = {
        "calls_per_example": Figure(tuple(f["calls_per_example"] for f in found)),
        "samples_per_second": Figure(tuple(drawn / s if s else nan for s in speed)),
    }
    told = {k: Figure(tuple(f[k] for f in found)) for k in measured(found[0])}
    return Row(method, sampler, told, cost | runs, found[0].get("bound"), found[0]["examples"])


def measured(found: dict) -> list[str]:
    """The names of the figures: the numbers that are no cost, count or error."""
    numbers = [k for k, v in found.items() if isinstance(v, int | float) and v is not True]
    numbers = [k for k in numbers if not isinstance(found[k], bool)]
    return [k for k in numbers if k not in (*COSTS, *COUNTS) and not k.endswith("_error")]


def spread(values: Sequence[float], form: str = "{:.1f}") -> str:
    """mean ± standard deviation over seeds."""
    mean = form.format(statistics.mean(values))
    return f"{mean} ± {form.format(statistics.stdev(values))}" if len(values) > 1 else mean


def columns(rows: Sequence[Row]) -> list[dict[str, str]]:
    """What the table shows of each row, by heading."""
    names = list(dict.fromkeys(k for r in rows for k in r.figures if k not in LIKELIHOOD))
    return [cells(r, names, any(r.bound is not None for r in rows)) for r in rows]


def cells(r: Row, names: list[str], likely: bool) -> dict[str, str]:
    kind = {None: "none", True: "bound", False: "exact"}[r.bound]
    out = {"method": r.method, "sampler": r.sampler}
    out |= {heading(k): shown(k, r.figures.get(k)) for k in names}
    out |= {"likelihood": kind} if likely else {}
    return out | {
        "calls/example": r.cost["calls_per_example"].told(),
        "samples/s": r.cost["samples_per_second"].told("{:,.0f}"),
        "training tokens/s": r.cost["tokens_per_second"].told("{:,.0f}"),
        "parameters": r.cost["parameters"].told("{:,.0f}"),
        "steps": r.cost["steps"].told("{:,.0f}"),
        "n": f"{r.examples:,}",
    }


def heading(name: str) -> str:
    words = {"loss": "loss, nats/token", "bits_per_character": "bits/character"}
    if name.endswith("accuracy"):
        return f"{name.replace('_', ' ')} %"
    return words.get(name, name.replace("_", " "))


def shown(name: str, figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return figure.told(scale=100) if name.endswith("accuracy") else figure.told("{:.3f}")


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
