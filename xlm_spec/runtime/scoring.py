"""A network on rows of data: the loss, and what it writes against what was wanted."""

import time
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torchmetrics import MeanMetric, MetricCollection

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.choose import Run
from xlm_spec.runtime.layout import Layout
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.rows import Rows


class Counted:
    """A network that counts its calls, and the rows that they read; nothing else of it changes."""

    def __init__(self, model: torch.nn.Module):
        self.model, self.calls, self.rows = model, 0, 0
        self.heads = {n for n, _ in model.named_children()}

    def __call__(self, tokens: Tensor, *args, **kwargs):
        return self.counted(self.model, tokens, *args, **kwargs)

    def __getattr__(self, name: str):
        found = getattr(self.model, name)
        if name in self.heads or not callable(found):
            return found
        return partial(self.counted, found)  # another pass of the backbone

    def counted(self, call, tokens: Tensor, *args, **kwargs):
        self.calls, self.rows = self.calls + 1, self.rows + len(tokens)
        return call(tokens, *args, **kwargs)


@dataclass
class Drawn:
    """What a sampler wrote for a batch of prompts."""

    answers: Tensor  # (B, W), padded with -1
    states: list  # the trajectory if asked for, else the last state
    steps: int
    calls: int
    rows: int  # that the calls read; a call may leave rows out in which nothing happens
    seconds: float
    spent: list[int]  # network calls made until each of the states


def draw(
    run: Run, layout: Layout, model, sampler: str, start, rng: torch.Generator, keep: bool = False
) -> Drawn:
    """Runs a sampler from `start`; with `keep` the whole trajectory is kept."""
    counted, begun, steps = Counted(model), time.perf_counter(), -1  # the first is no step
    states: list = []
    spent: list[int] = []
    for state in run.package.SAMPLERS[sampler](counted, run.config, start, rng):
        steps += 1
        if not keep:
            states.clear()
            spent.clear()
        states.append(state)
        spent.append(counted.calls)
    seconds = time.perf_counter() - begun
    last = states[-1]
    answers = layout.answers(last.tokens.cpu(), last.valid.cpu(), start.fixed.cpu())
    return Drawn(answers, states, steps, counted.calls, counted.rows, seconds, spent)


class Scores(torch.nn.Module):
    """Means over examples, each counted once, over all devices."""

    def __init__(self, run: Run):
        super().__init__()
        self.task = run.task
        names = ["loss", *run.task.metrics]
        means = {n: MeanMetric(nan_strategy="error") for n in names}  # "disable" drops the weights
        self.means = MetricCollection(dict(means), compute_groups=False)

    def add_loss(self, nats: Tensor, scale: float) -> None:
        """Nats per sequence (B,), shown per token. Raises Failed (X610) where one is no number."""
        if not nats.isfinite().all():
            hint = "a lower train.lr or a smaller train.clip may help; so may an earlier checkpoint"
            raise Failed(Diagnostic("X610", "the loss of an example is no finite number", hint))
        self.means["loss"].update(nats / scale)

    def add_answers(self, answers: Tensor, rows: Rows) -> None:
        for name, metric in self.task.metrics.items():
            value, weight = metric.of(answers, rows)
            self.means[name].update(value, weight)

    def compute(self, answers: bool = True) -> dict[str, float]:
        """The means; `answers`: were any scored? All devices take part, whatever they scored."""
        names = ["loss", *(self.task.metrics if answers else ())]
        for name in names:
            self.means[name].update(0.0, 0.0)
        return {n: float(self.means[n].compute()) for n in names}

    def reset(self) -> None:
        self.means.reset()


def nats(run: Run, layout: Layout, model, rows: Rows, rng: torch.Generator) -> Tensor:
    """The objective on rows, summed over its terms, (B,) nats per sequence."""
    x = to(layout.examples(rows), rng.device)
    terms = run.package.objective(model, x, run.config, rng)
    return torch.stack(list(terms.values())).sum(0)


def bound_of(run: Run):
    """The package's bound of log p(x); None where it has none, or none with the numbers of the run.

    BOUND_AT of a package are numbers without which the noise does not end in the sampler's prior.
    """
    wanted = getattr(run.package, "BOUND_AT", {})
    holds = all(run.numbers.get(k, v) == v for k, v in wanted.items())
    return getattr(run.package, "log_likelihood_bound", None) if holds else None


def to(x, device):
    """A named tuple of tensors, and of such tuples, on a device."""
    if isinstance(x, tuple):
        return type(x)(*(to(a, device) for a in x))
    return x.to(device) if isinstance(x, Tensor) else x


def start_of(layout: Layout, rows: Rows, device):
    return to(layout.start(rows.prompt, rows.prompt_length), device)


def sampling_generator(run: Run, sampler: str, first: int, device) -> torch.Generator:
    """The generator of a batch that starts at row `first`."""
    return generator(run.train.seed, "sample", sampler, first, device=device)
