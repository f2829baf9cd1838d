"""What a model gives for rows: the loss, the bound, and the samples of a sampler."""

import time
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.loading.layout import Layout
from xlm_spec.runtime.randomness import generator


class ParameterReads(TorchFunctionMode):
    """Records which of the given parameters are read inside the context."""

    def __init__(self, parameters: list[Tensor]):
        super().__init__()
        self.watched = {id(p) for p in parameters}
        self.read: set[int] = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        outer = [*args, *(kwargs or {}).values()]
        inner = [b for a in outer if isinstance(a, tuple | list) for b in a]
        self.read |= {id(a) for a in (*outer, *inner)} & self.watched
        return func(*args, **(kwargs or {}))


class CallCounter:
    """A model that counts its function evaluations, and their rows; otherwise unchanged.

    A call of the model is an evaluation. A call of another method of the backbone is one if it
    reads at least half of the backbone's parameters, e.g. with a cache; else the method is a head.
    The first call of a method decides this.
    """

    def __init__(self, model: torch.nn.Module):
        self.model, self.calls, self.rows = model, 0, 0
        self.heads = {n for n, _ in model.named_children()} - {"backbone"}
        self.backbone_parameters = list(getattr(model, "backbone", model).parameters())
        self.is_evaluation: dict[str, bool] = {}  # name of a method -> is it an evaluation

    def __call__(self, *args, **kwargs):
        return self.counted(self.model, args, kwargs)

    def __getattr__(self, name: str):
        found = getattr(self.model, name)
        if name in self.heads or not callable(found):
            return found
        if isinstance(found, torch.nn.Module):
            return BackboneProxy(self, found)
        return partial(self.called, name, found)

    def called(self, name: str, call, *args, **kwargs):
        """Calls a method of the backbone, which is an evaluation or a head."""
        if name not in self.is_evaluation:
            with ParameterReads(self.backbone_parameters) as reads:
                result = call(*args, **kwargs)
            self.is_evaluation[name] = 2 * len(reads.read) >= max(1, len(reads.watched))
            self.note(args, kwargs, self.is_evaluation[name])
            return result
        self.note(args, kwargs, self.is_evaluation[name])
        return call(*args, **kwargs)

    def counted(self, call, args: tuple, kwargs: dict):
        self.note(args, kwargs, True)
        return call(*args, **kwargs)

    def note(self, args: tuple, kwargs: dict, evaluates: bool) -> None:
        """Counts a call, and the rows of `tokens`, else of the first tensor."""
        tensors = [kwargs.get("tokens"), *args, *kwargs.values()]
        rows = next((len(a) for a in tensors if isinstance(a, Tensor) and a.ndim), 0)
        self.calls, self.rows = self.calls + evaluates, self.rows + evaluates * rows


class BackboneProxy:
    """The backbone of a CallCounter, for samplers that call it without the model."""

    def __init__(self, counted: CallCounter, module: torch.nn.Module):
        self.counted, self.module = counted, module

    def __call__(self, *args, **kwargs):
        return self.counted.counted(self.module, args, kwargs)

    def __getattr__(self, name: str):
        found = getattr(self.module, name)
        if isinstance(found, torch.nn.Module) or not callable(found):
            return found
        return partial(self.counted.called, name, found)


@dataclass
class SampleResult:
    """The samples for a batch of prompts, and their cost."""

    answers: Tensor  # (B, W), padded with -1
    states: list  # the trajectory if kept, else the last state
    steps: int
    calls: int
    rows: int  # rows of all calls; a call may leave out rows in which nothing changes
    seconds: float
    calls_until: list[int]  # network calls until each of the states


def draw(
    run: Run, layout: Layout, model, sampler: str, start, rng: torch.Generator, keep: bool = False
) -> SampleResult:
    """Runs a sampler from `start`; `keep` keeps the whole trajectory."""
    counter, begun, steps = CallCounter(model), time.perf_counter(), -1  # `start` is no step
    states: list = []
    calls_until: list[int] = []
    for state in run.package.SAMPLERS[sampler](counter, run.config, start, rng):
        steps += 1
        if not keep:
            states.clear()
            calls_until.clear()
        states.append(state)
        calls_until.append(counter.calls)
    seconds = time.perf_counter() - begun
    last = states[-1]
    longer = last.tokens.shape[1] - start.fixed.shape[1]  # than the canvas
    fixed = F.pad(start.fixed.cpu(), (0, longer))
    answers = layout.answers(last.tokens.cpu(), last.valid.cpu(), fixed)
    return SampleResult(answers, states, steps, counter.calls, counter.rows, seconds, calls_until)


def training_loss(
    run: Run, model, x, rng: torch.Generator, scale: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of a batch, the sum of its terms, and the terms: mean nats per `scale` tokens."""
    terms = run.package.objective(model, x, run.config, rng)
    means = {k: v.mean() / scale for k, v in terms.items()}
    return torch.stack(list(means.values())).sum(), means


def nats(run: Run, layout: Layout, model, rows: Rows, rng: torch.Generator) -> Tensor:
    """The objective on rows, summed over its terms, in nats per sequence (B,)."""
    x = to(layout.examples(rows), rng.device)
    terms = run.package.objective(model, x, run.config, rng)
    return torch.stack(list(terms.values())).sum(0)


def likelihoods(
    run: Run, layout: Layout, model, rows: Rows, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Minus the bound of log p(x) of each row, in nats, and its true tokens; (B,) each."""
    x = to(layout.examples(rows), rng.device)
    return -bound_of(run)(model, x, run.config, rng), true_tokens(layout, rows)


def true_tokens(layout: Layout, rows: Rows) -> Tensor:
    """The tokens of each answer, with EOS if one ends it, (B,); EOS that fills is not counted."""
    return rows.answer_length + int(layout.ends_with_eos)


def bound_of(run: Run):
    """The package's bound of log p(x), or None if it has none with the settings of the run.

    BOUND_AT of a package: the settings with which the noise ends in the prior of the sampler. The
    declarations of a custom schedule can be wrong, so its ends are evaluated.
    """
    required = getattr(run.package, "BOUND_AT", {})
    holds = all(run.settings.get(k, v) == v for k, v in required.items()) and runs_to_prior(run)
    return getattr(run.package, "log_likelihood_bound", None) if holds else None


def runs_to_prior(run: Run) -> bool:
    """Do the schedules of the run, if it has any, decrease from 1 to 0?"""
    noise = getattr(run.config, "noise", None)
    found = [s for s in vars(noise).values() if hasattr(s, "dalpha")] if noise else []
    ends = [s.alpha(torch.tensor([0.0, 1.0], dtype=torch.float64)) for s in found]
    return all(bool((e - torch.tensor([1.0, 0.0])).abs().max() <= 1e-6) for e in ends)


def to(x, device):
    """A nested named tuple of tensors, on a device."""
    if isinstance(x, tuple):
        return type(x)(*(to(a, device) for a in x))
    return x.to(device) if isinstance(x, Tensor) else x


def start_of(layout: Layout, rows: Rows, device):
    return to(layout.start(rows.prompt, rows.prompt_length), device)


def sampling_generator(run: Run, sampler: str, first: int, device) -> torch.Generator:
    """The generator of the batch that starts at row `first`."""
    return generator(run.train.seed, "sample", sampler, first, device=device)
