"""Metrics of a run: each a metric of torchmetrics with an update function, by stage and loader.

An entry of `data.metrics` names one of these, with options:

- a function that returns the value and the weight of each example; its weighted mean is reported;
- a class that derives from torchmetrics.Metric. `update` gets what its parameters name, or what
  the function of the option `update` returns, a mapping.

Parameters of both are filled by their names, see `Samples` and `Likelihoods`. Every entry also has
the options `name`, `stages` and `loaders` (`task` is that of the run's own task). The stages are
`val` and `test`; of an entry that asks for them also `train`, the first training sequences at each
validation, and `predict`, the samples of `generate`.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MeanMetric
from torchmetrics import Metric as TorchMetric

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, first_line
from xlm_spec.runtime.config.choices import Choice, choice, kind_of, options_of
from xlm_spec.runtime.config.extensions import called, checked, named, raised_in
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.config.settings import ENTRIES
from xlm_spec.runtime.data.rows import Rows, padded_rows
from xlm_spec.runtime.data.tokenizers import Tokenizer
from xlm_spec.runtime.evaluation.scoring import bound_of
from xlm_spec.runtime.loading.managers import entries_of
from xlm_spec.runtime.machine.shortage import is_shortage

SETTING = "data.metrics"
STAGES: tuple[str, ...] = ENTRIES[SETTING]["stages"]
USUAL = ("val", "test")  # the stages of the metrics of a task, and of entries without `stages`
OWN = "task"  # the loader of the run's own task, in the option `loaders`
KEYS = tuple(ENTRIES[SETTING])  # of every entry
NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Samples:
    """What metrics of samples can read: the answers to the prompts of some rows."""

    answers: Tensor  # (B, W) long, padded with -1
    rows: Rows  # B prompts and true answers
    tokenizer: Tokenizer

    @cached_property
    def texts(self) -> list[str]:
        """The answers."""
        return self.decoded(self.answers)

    @cached_property
    def references(self) -> list[str]:
        """The true answers; of running text, the texts of the split."""
        return self.decoded(self.rows.truths)

    @cached_property
    def prompts(self) -> list[str]:
        index = torch.arange(self.rows.prompt.shape[1], device=self.rows.prompt.device)
        padding = index >= self.rows.prompt_length[:, None]
        return self.decoded(self.rows.prompt.masked_fill(padding, -1))

    @property
    def preds(self) -> list[str]:
        """`texts`, as torchmetrics calls them."""
        return self.texts

    @property
    def target(self) -> list[str]:
        """`references`, as torchmetrics calls them."""
        return self.references

    def decoded(self, tokens: Tensor) -> list[str]:
        return [self.tokenizer.decode([t for t in row if t >= 0]) for row in tokens.tolist()]


@dataclass(frozen=True)
class Likelihoods:
    """What metrics of the likelihood can read."""

    nats: Tensor  # (B,): minus log p(x), or minus its bound
    tokens: Tensor  # (B,): true tokens of a sequence, with EOS
    rows: Rows  # B prompts and true answers; for metrics of a task


OF_SAMPLES = ("answers", "rows", "texts", "references", "prompts", "preds", "target")
OF_LIKELIHOODS = ("nats", "tokens")


@dataclass(frozen=True)
class Entry:
    """A metric and its update function."""

    name: str
    kind: str  # "": of the task
    metric: TorchMetric
    reads: tuple[str, ...]
    update: Callable[..., None]  # of what it reads, by name

    @property
    def of_likelihood(self) -> bool:
        return any(n in OF_LIKELIHOODS for n in self.reads)

    @property
    def of_truths(self) -> bool:
        return any(n in ("rows", "references", "target") for n in self.reads)

    def add(self, source: Samples | Likelihoods) -> None:
        """Raises Failed (X617) for an exception of the metric."""
        try:
            self.update(**{n: getattr(source, n) for n in self.reads})
        except Failed:
            raise
        except Exception as e:  # the code of others
            if not self.kind or is_shortage(e):
                raise
            raise failed(self, e) from None

    def value(self) -> dict[str, float]:
        """The figures by name: a metric that computes a mapping has several."""
        try:
            found = self.metric.compute()
        except Failed:
            raise
        except Exception as e:  # the code of others
            raise failed(self, e) from None
        if isinstance(found, Mapping):
            return {f"{self.name}_{k}": self.number(v) for k, v in found.items()}
        return {self.name: self.number(found)}

    def number(self, found: object) -> float:
        try:
            return float(found)  # type: ignore[arg-type]
        except (TypeError, ValueError, RuntimeError):
            message = f"metric `{self.name}` computes {type(found).__name__}, not a number"
            raise Failed(Diagnostic("X617", message)) from None


def failed(entry: Entry, e: Exception) -> Failed:
    raised = raised_in(e, [entry.kind])
    message = f"`{SETTING}`: `{entry.kind}` raises {type(e).__name__}: {first_line(e)}"
    return raised or Failed(Diagnostic("X617", message))


def metrics_of(run: Run, stage: str = "", loader: str = "") -> list[Entry]:
    """The metrics of the task and of `data.metrics`, of a stage and a loader; "": of all stages.

    Raises Failed: X508, X602, X617.
    """
    of_task = run.task.metrics if stage in ("", *USUAL) else {}
    found = [task_metric(name, metric.of) for name, metric in of_task.items()]
    found += set_metrics(run) if stage in ("", *USUAL) else []
    known = [e.name or OWN for e in entries_of(run)]
    for code in run.data.metrics:
        entry = entry_of(run, code)
        if entry.name in ("loss", *(e.name for e in found)):
            message = f"`{SETTING}`: there is a metric `{entry.name}` already"
            raise Failed(Diagnostic("X602", message, "write {kind: ..., name: ANOTHER}"))
        stages = listed(code, "stages", STAGES, USUAL)
        loaders = listed(code, "loaders", known, known)
        if "predict" in stages and entry.of_likelihood:
            message = f"`{SETTING}`: `{entry.name}` requires a likelihood, and `predict` has none"
            raise Failed(Diagnostic("X602", message))
        if not stage or (stage in stages and (loader or OWN) in loaders):
            found.append(entry)
    return found


def listed(code: Choice, key: str, allowed: Any, default: Any) -> tuple[str, ...]:
    """The option `stages` or `loaders` of an entry. Raises Failed (X602)."""
    value = options_of(code).get(key, default)
    values = tuple(value) if isinstance(value, list | tuple) else (str(value),)
    for each in values:
        if each not in allowed:
            message = f"`{SETTING}`: `{kind_of(code)}` has no {key[:-1]} `{each}`"
            raise Failed(Diagnostic("X602", message, alternatives(str(each), [*allowed])))
    return values


def task_metric(name: str, of: Callable) -> Entry:
    metric = MeanMetric(nan_strategy="error")  # "disable" ignores weights

    def update(answers: Tensor, rows: Rows) -> None:
        metric.update(*figure(name, of(answers, rows), len(answers)))

    return Entry(name, "", metric, ("answers", "rows"), update)


def set_metrics(run: Run) -> list[Entry]:
    """The metrics of a task that are no means of examples; of the likelihood if there is one."""
    found = []
    for name, make in getattr(run.task, "set_metrics", {}).items():
        metric = make()
        reads = tuple(inspect.signature(metric.update).parameters)
        entry = Entry(name, "", metric, reads, metric.update)
        if not entry.of_likelihood or bound_of(run) is not None:
            found.append(entry)
    return found


def entry_of(run: Run, code: Choice) -> Entry:
    """Raises Failed: X508, X602, X617."""
    kind, options = kind_of(code), options_of(code)
    own = choice(kind, {k: v for k, v in options.items() if k not in KEYS})
    found = named(SETTING, own)
    default = kind.rpartition(":")[2].rpartition(".")[2]
    name = str(options.get("name", default))
    if not NAME.fullmatch(name):
        raise Failed(Diagnostic("X602", f"`{SETTING}`: a metric cannot have the name `{name}`"))
    if isinstance(found, type):
        return of_class(run, own, options.get("update"), options.get("name"), name)
    return of_function(own, found, name)


def of_function(own: Choice, found: Callable, name: str) -> Entry:
    """The weighted mean of a function's values."""
    reads = wires(own, found, OF_SAMPLES, options_of(own))
    _, options = checked(SETTING, own, {}, leading=len(reads))
    metric = MeanMetric(nan_strategy="error")

    def update(**values: Any) -> None:
        n = len(next(iter(values.values()))) if "rows" not in reads else len(values["rows"].prompt)
        metric.update(*figure(name, found(**values, **options), n))

    return Entry(name, kind_of(own), metric, reads, update)


def of_class(run: Run, own: Choice, update: Any, given_name: Any, name: str) -> Entry:
    """A metric of torchmetrics, with its own update or that of an option."""
    given = {"tokenizer": run.task.tokenizer, "run": run}
    found, arguments = checked(SETTING, own, given)
    metric = called(SETTING, own, found, **arguments)
    if not isinstance(metric, TorchMetric):
        message = f"`{SETTING}`: `{kind_of(own)}` is not a metric of torchmetrics"
        hint = "write a function, or derive the class from torchmetrics.Metric"
        raise Failed(Diagnostic("X617", message, hint))
    name = str(given_name or getattr(metric, "figure_name", name))
    if update is None:
        reads = wires(own, metric.update, (*OF_SAMPLES, *OF_LIKELIHOODS), {})
        entry = Entry(name, kind_of(own), metric, reads, metric.update)
    else:
        function = named(SETTING, str(update))
        reads = wires(str(update), function, OF_SAMPLES, {})
        entry = Entry(name, str(update), metric, reads, partial(updated, metric, function, update))
    if entry.of_likelihood and bound_of(run) is None:
        message = (
            f"`{SETTING}`: `{kind_of(own)}` requires a likelihood, but {run.name} has no bound"
        )
        raise Failed(Diagnostic("X602", f"{message} with these settings"))
    return entry


def updated(metric: TorchMetric, function: Callable, path: str, **values: Any) -> None:
    """Updates a metric with what a function returns."""
    found = function(**values)
    if not isinstance(found, Mapping):
        message = f"`{SETTING}`: `{path}` returns {type(found).__name__}, not a mapping"
        raise Failed(Diagnostic("X617", message, "return the arguments of update by their names"))
    metric.update(**found)


def wires(
    own: Choice, function: Callable, allowed: tuple[str, ...], options: Mapping
) -> tuple[str, ...]:
    """The parameters of a function that are filled by name. Raises Failed (X617)."""
    parameters = inspect.signature(function).parameters.values()
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = tuple(p.name for p in plain if p.name in allowed)
    others = [p.name for p in plain if p.default is p.empty and p.name not in (*names, *options)]
    if others or not names:
        which = f"reads `{others[0]}`, which no metric gets" if others else "reads nothing"
        message = f"`{SETTING}`: `{kind_of(own)}` {which}"
        raise Failed(Diagnostic("X617", message, f"allowed: {', '.join(allowed)}"))
    return names


def figure(name: str, found: object, n: int) -> tuple[Tensor, Tensor]:
    """The values and the weights of a metric, (n,) each. Raises Failed (X617) if they are not."""
    parts = found if isinstance(found, tuple | list) else (found,)
    shapes = [tuple(p.shape) if isinstance(p, Tensor) else type(p).__name__ for p in parts]
    hint = "return the value and the weight of each example"
    if shapes != [(n,), (n,)]:
        message = f"metric `{name}` returns {', '.join(map(str, shapes))} for {n} examples, "
        message += f"not values ({n},) and weights ({n},)"
        raise Failed(Diagnostic("X617", message, hint))
    value, weight = parts
    if not (value.isfinite().all() and weight.isfinite().all() and (weight >= 0).all()):
        message = f"metric `{name}` returns values that are not finite, or negative weights"
        raise Failed(Diagnostic("X617", message, hint))
    return value, weight


class MetricTracker(torch.nn.Module):
    """The loss and the metrics of a stage and a loader, over the examples of all devices."""

    def __init__(self, run: Run, stage: str = "val", loader: str = ""):
        super().__init__()
        self.tokenizer = run.task.tokenizer
        self.entries = metrics_of(run, stage, loader)
        self.loss = MeanMetric(nan_strategy="error")
        self.metrics = torch.nn.ModuleList(e.metric for e in self.entries)  # follow the device

    def __deepcopy__(self, memo: dict) -> "MetricTracker":
        return self  # averaged weights are a copy of the model, which has no figures of its own

    @property
    def reads_likelihood(self) -> bool:
        return any(e.of_likelihood for e in self.entries)

    def add_loss(self, nats: Tensor, scale: float) -> None:
        """Nats per sequence (B,), reported per token. Raises Failed (X610) for NaN or infinity."""
        if not nats.isfinite().all():
            hint = "try a lower train.lr, a smaller train.clip or an earlier checkpoint"
            raise Failed(Diagnostic("X610", "loss is NaN or infinite", hint))
        self.loss.update(nats / scale)

    def add_likelihoods(self, nats: Tensor, tokens: Tensor, rows: Rows) -> None:
        """Minus the bound of log p(x) of each sequence, and its true tokens, (B,) each."""
        for entry in self.entries:
            if entry.of_likelihood:
                entry.add(Likelihoods(nats, tokens, rows))

    def add_answers(self, answers: Tensor, rows: Rows) -> None:
        samples = Samples(answers, rows, self.tokenizer)
        for entry in self.entries:
            if not entry.of_likelihood:
                entry.add(samples)

    def compute(self, answers: bool = True) -> dict[str, float]:
        """The figures; `answers`: answers were scored. All devices must call this."""
        self.loss.update(0.0, 0.0)
        found = {"loss": float(self.loss.compute())}
        for entry in self.entries:
            if answers or entry.of_likelihood:
                self.add_nothing(entry)
                found |= entry.value()
        return found

    def add_nothing(self, entry: Entry) -> None:
        """All devices must have states to share, also those without examples."""
        if isinstance(entry.metric, MeanMetric):
            entry.metric.update(0.0, 0.0)
        elif not entry.metric.update_called and not entry.of_likelihood:
            none = torch.zeros(0, 0, dtype=torch.long, device=entry.metric.device)
            entry.add(Samples(none, padded_rows([], []), self.tokenizer))

    def reset(self) -> None:
        self.loss.reset()
        for entry in self.entries:
            entry.metric.reset()
