"""The frontier: judge NLL of samples against their entropy, over temperatures and step counts.

Either number alone can be made small or large by the temperature (arXiv:2604.02718): a method is
better where its curve lies below, at equal entropy. Bands are percentiles of a bootstrap over the
samples of a point.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.config.layers import known_settings
from xlm_spec.runtime.config.overrides import overridden
from xlm_spec.runtime.data.metrics import entropy_of
from xlm_spec.runtime.evaluation import protocol
from xlm_spec.runtime.evaluation.batches import in_fitting_batches, in_precision
from xlm_spec.runtime.evaluation.evaluate import repeated, sampled
from xlm_spec.runtime.evaluation.judge import judge_of
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.weights.load_model import TrainedModel

TEMPERATURES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
STEPS = ("steps", "tokens_per_step")  # settings that are the number of steps, or give it
RESAMPLED = 1_000
MASS = 0.95  # of a band
DATA = "data"  # the sampler of the point that is true text
JUDGED = 8, 1024  # texts at a time, and tokens of the judge at most


@dataclass(frozen=True)
class Point:
    """One setting of a sampler, or true text. NLL in nats per token of the judge."""

    method: str
    sampler: str
    temperature: float | None
    steps: str  # the setting, e.g. "steps=64"; "" if the sampler has none
    samples: int
    nll: float
    nll_low: float
    nll_high: float
    entropy: float
    entropy_low: float
    entropy_high: float
    length: float
    calls_per_example: float

    @property
    def curve(self) -> str:
        """The points of a curve differ in temperature only."""
        if self.sampler == DATA:
            return "true text"
        return " · ".join(filter(None, (self.method, self.sampler, self.steps)))


@dataclass(frozen=True)
class Scored:
    """Samples, one number of each, (N,) float64."""

    nats: Tensor
    tokens: Tensor  # of the judge
    entropy: Tensor
    length: Tensor

    def figures(self) -> dict[str, float]:
        """The means, and the bands of their bootstrap."""
        rng, n = generator(0, "bootstrap"), len(self.nats)
        rows = torch.randint(0, n, (RESAMPLED, n), generator=rng)
        values = {
            "nll": self.nats[rows].sum(1) / self.tokens[rows].sum(1).clamp(min=1),
            "entropy": self.entropy[rows].mean(1),
        }
        means = {
            "nll": self.nats.sum() / self.tokens.sum().clamp(min=1),
            "entropy": self.entropy.mean(),
        }
        ends = torch.tensor([(1 - MASS) / 2, (1 + MASS) / 2], dtype=torch.float64)
        found = {k: float(v) for k, v in means.items()}
        for name, each in values.items():
            low, high = each.quantile(ends).tolist()
            found |= {f"{name}_low": low, f"{name}_high": high}
        return found | {"length": float(self.length.mean())}


def frontier(
    trained: TrainedModel,
    judge: str,
    samplers: Sequence[str] = (),
    temperatures: Sequence[float] = TEMPERATURES,
    steps: Sequence[int] = (),
    samples: int = 64,
) -> Iterator[Point]:
    """The points of each sampler, then true text of the validation split, as they are measured.

    `steps`: values of the setting that gives the steps; empty: its own, a quarter and a sixteenth
    of it, or 1, 4 and 16 tokens per step. Raises Failed (X602) for a task without text.
    """
    if not protocol.is_text(trained.run.task):
        message = f"a frontier requires text, and task `{trained.run.task.name}` has none"
        raise Failed(Diagnostic("X602", message))
    rows = repeated(trained.run.task.rows("val"), samples)
    for sampler in samplers or [*trained.run.package.SAMPLERS]:
        for value in step_values(trained, sampler, steps):
            for t in temperatures if key_of(trained, sampler, ("tokens.temperature",)) else [None]:
                yield point(trained, judge, sampler, t, value, rows)
    decode = trained.run.task.tokenizer.decode
    truths = [row[row >= 0] for row in rows.truths]
    scored = of_texts(judge, [decode(t.tolist()) for t in truths], truths)
    of = trained.run.name, DATA, None, "", samples
    yield Point(*of, **scored.figures(), calls_per_example=0.0)  # type: ignore[arg-type]


@in_fitting_batches
@in_precision
@torch.no_grad()
def point(
    trained: TrainedModel,
    judge: str,
    sampler: str,
    temperature: float | None,
    value: tuple[str, int] | None,
    rows: Any,
) -> Point:
    """The samples for some rows, with one temperature and one number of steps."""
    made = trained
    if temperature is not None:
        key = key_of(trained, sampler, ("tokens.temperature",))
        made = with_setting(made, str(key), temperature)
    if value is not None:
        made = with_setting(made, *value)
    texts, tokens, rows_evaluated = list[str](), list[Tensor](), 0
    for _, result in sampled(made, sampler, rows):
        found = [row[row >= 0] for row in result.answers]
        tokens += found
        texts += [made.run.task.tokenizer.decode(t.tolist()) for t in found]
        rows_evaluated += result.rows
    name = "" if value is None else f"{value[0].rpartition('.')[2]}={value[1]}"
    of = trained.run.name, sampler, temperature, name, len(texts)
    scored = of_texts(judge, texts, tokens)
    calls = rows_evaluated / len(texts)
    return Point(*of, **scored.figures(), calls_per_example=calls)  # type: ignore[arg-type]


def of_texts(judge: str, texts: list[str], tokens: list[Tensor]) -> Scored:
    nats, counts = judge_of(judge).nats(texts, *JUDGED)
    of_each = torch.stack([entropy_of(t) for t in tokens])
    return Scored(nats, counts, of_each, torch.tensor([float(len(t)) for t in tokens]).double())


def key_of(trained: TrainedModel, sampler: str, names: Sequence[str]) -> str | None:
    """The dotted name of the first of some settings that a sampler has."""
    keys = (f"{p}{name}" for p in (f"sampler.{sampler}.", "sampler.") for name in names)
    return next((k for k in keys if k in trained.run.settings), None)


def step_values(
    trained: TrainedModel, sampler: str, steps: Sequence[int]
) -> list[tuple[str, int] | None]:
    """The setting of the steps with each of its values; [None] if the sampler has none."""
    key = key_of(trained, sampler, STEPS)
    if key is None:
        return [None]
    own = int(cast(int, trained.run.settings[key]))
    usual = {own, own // 4, own // 16} if key.endswith(".steps") else {1, 4, 16}
    return [(key, v) for v in sorted(steps or usual) if v > 0]


def with_setting(trained: TrainedModel, key: str, value: float) -> TrainedModel:
    """The model with another value of a setting. Raises Failed (X602) if it is out of range."""
    run = trained.run
    converted = known_settings(run.package, run.task).converted(key, value)
    return replace(trained, run=replace(run, config=overridden(run.config, {key: converted})))


def numbers(text: str, kind: type, flag: str) -> list:
    """The numbers of a flag, separated by commas. Raises Failed (X602)."""
    try:
        found = [kind(part) for part in text.split(",") if part.strip()]
    except ValueError:
        found = []
    if not found or min(found) <= 0:
        example = "0.8,1.0" if kind is float else "16,64"
        message = f"{flag} must be numbers above 0, not `{text}`"
        raise Failed(Diagnostic("X602", message, f"e.g. {flag} {example}"))
    return found


def as_json(points: Sequence[Point], judge: str) -> str:
    head = {"protocol": protocol.VERSION, "judge": judge, "band": MASS, "unit": "nats"}
    return json.dumps({**head, "points": [asdict(p) for p in points]}, indent=2) + "\n"


def as_csv(points: Sequence[Point]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, [*asdict(points[0])], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(p) for p in points)
    return out.getvalue()


def as_markdown(points: Sequence[Point], judge: str) -> str:
    """A table; intervals are the bands."""
    heads = ("method", "sampler", "steps", "temperature", "NLL", "entropy", "length", "calls", "n")
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    for p in points:
        cells = (
            p.method,
            p.sampler,
            p.steps or "-",
            "-" if p.temperature is None else f"{p.temperature:g}",
            f"{p.nll:.3f} [{p.nll_low:.3f}, {p.nll_high:.3f}]",
            f"{p.entropy:.3f} [{p.entropy_low:.3f}, {p.entropy_high:.3f}]",
            f"{p.length:.1f}",
            f"{p.calls_per_example:.1f}",
            str(p.samples),
        )
        lines.append("| " + " | ".join(cells) + " |")
    note = f"protocol {protocol.VERSION}; judge {judge}: nats per token of the judge; entropy: nats"
    return "\n".join([*lines, "", f"{note}; [95% of a bootstrap over samples]", ""])


def known_samplers(trained: TrainedModel, names: Sequence[str]) -> list[str]:
    """Raises Failed (X703) for a sampler that the package lacks."""
    known = [*trained.run.package.SAMPLERS]
    for name in names:
        if name not in known:
            message = f"{trained.run.name} has no sampler `{name}`"
            raise Failed(Diagnostic("X703", message, alternatives(name, known)))
    return [*names]
