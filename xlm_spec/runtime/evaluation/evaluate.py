"""The workflow `eval`: the metrics of a checkpoint on every example of a split."""

import inspect
import json
import math
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from xlm_spec.runtime.config.resolve_config import Run
from xlm_spec.runtime.evaluation.batches import in_fitting_batches, in_precision
from xlm_spec.runtime.evaluation.metric_tracker import MetricTracker
from xlm_spec.runtime.evaluation.predictions import (
    Place,
    Predictions,
    Records,
    folder_of,
    records_of,
)
from xlm_spec.runtime.evaluation.scoring import (
    SampleResult,
    bound_of,
    draw,
    sampling_generator,
    start_of,
    to,
    true_tokens,
)
from xlm_spec.runtime.loading.data_module import CHUNK, EvalBatches, eval_batch_size
from xlm_spec.runtime.loading.managers import Loaders
from xlm_spec.runtime.machine.devices import Devices, devices_of, shared
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.tasks.task import Rows, RunningText
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model, sampler_of
from xlm_spec.runtime.weights.teacher import reads_teacher, with_teacher

SOME = 8  # rows that tell what a loss is


def evaluate(package, data, train, args) -> None:
    """Prints the metrics of a checkpoint."""
    devices = devices_of(args.devices, args.nodes)
    with shared(devices, lambda: prepared(package, data, train, args, devices)) as found:
        trained, sampler, predictions = found
        result = figures(trained, sampler, args.split, args.limit or 0, predictions)
        predictions.close()
        show(result, args.json)


def prepared(package, data, train, args, devices: Devices) -> tuple[TrainedModel, str, Predictions]:
    """The model, the name of the sampler, and where samples are written."""
    trained = replace(load_model(package, data, train, args), devices=devices)
    if args.teacher is not None:
        trained = replace(trained, run=with_teacher(trained.run))
    sampler = sampler_of(trained.run, args.sampler)
    return trained, sampler, Predictions(trained.run, "test", folder_of(args.run))


def show(result: dict, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        if key != "loaders":
            print(f"{key:20} {value:.4f}" if isinstance(value, float) else f"{key:20} {value}")
    for name, more in result.get("loaders", {}).items():
        for key, value in more.items():
            key = f"{name}/{key}"
            print(f"{key:20} {value:.4f}" if isinstance(value, float) else f"{key:20} {value}")


@in_fitting_batches
@in_precision
@torch.no_grad()
def figures(
    trained: TrainedModel,
    sampler: str,
    split: str,
    limit: int = 0,
    predictions: Predictions | None = None,
) -> dict:
    """The loss in nats per token, the metrics and, of running text, its likelihood.

    `limit`: of the examples, the first of the split; 0: all.
    """
    run, begun = with_teacher(trained.run, required=False), time.perf_counter()
    if run.teacher is not None:
        object.__setattr__(trained.model, "teacher", run.teacher)
    with trained.devices.first_alone():
        loaders = Loaders(run)
        rows = loaders.own.rows(split)
        others = {x.name: loaders.rows(x, split) for x in loaders.of(split) if x.name}
    if trained.data.get(split, rows.digest) != rows.digest:
        message = f"warning: the data of split `{split}` have changed since training"
        print(message, file=sys.stderr)
    of_text = not run.task.ends and not (limit and limit < len(rows.prompt))
    characters = cast(RunningText, run.task).characters(split) if of_text else 0
    of_own = Place(split, trained.step or 0, "", sampler)
    given = trained, sampler, split, predictions
    found = scores(*given, first(rows, limit), of_own, characters)
    more = {
        name: scores(*given, first(rows, limit), replace(of_own, loader=name))
        for name, rows in others.items()
    }
    return {
        "package": run.name,
        "task": run.task.name,
        "size": run.size,
        "sampler": sampler,
        "split": split,
        **({"sequences": said} if (said := getattr(run.task, "sequences", "")) else {}),
        **found,
        **({"loaders": more} if more else {}),
        "seconds": round(time.perf_counter() - begun, 3),
        "checkpoint": str(trained.checkpoint),
    }


def first(rows: Rows, limit: int) -> Rows:
    return rows.take(slice(0, limit)) if limit else rows


def scores(
    trained: TrainedModel,
    sampler: str,
    split: str,
    predictions: Predictions | None,
    rows: Rows,
    place: Place,
    characters: int = 0,
) -> dict:
    """The figures of some rows; `characters` of running text, for bits per character."""
    run, layout = trained.run, trained.layout
    lengths = [free_tokens(layout.examples(x)) for _, x in EvalBatches(rows, CHUNK)]
    tokens = torch.cat(lengths).double()
    tracker = MetricTracker(run, split, place.loader)
    losses, bounds = losses_and_bounds(trained, rows, tracker.reads_likelihood)
    if trained.devices.rank == 0:  # it has those of all examples
        if losses is not None:
            tracker.add_loss(losses, tokens.mean().item())
        if bounds is not None and tracker.reads_likelihood:
            tracker.add_likelihoods(bounds, true_tokens(layout, rows))
    n = run.task.samples or len(rows.prompt)
    cost = score_samples(trained, sampler, repeated(rows, n), tracker, predictions, place)
    return {
        "examples": len(rows.prompt),
        "loss": None,
        **({} if losses is None else {"loss_error": error_of(losses, tokens)}),
        **tracker.compute(),
        **({"loss": None} if losses is None else {"loss_kind": kind_of_loss(trained, rows)}),
        **({} if bounds is None or run.task.ends else likelihood(run, characters, bounds, tokens)),
        **({} if run.task.samples is None else {"samples": n}),
        **cost,
    }


def error_of(nats: Tensor, tokens: Tensor) -> float | None:
    """The standard error of r = sum nats / sum tokens, of n examples; None for one example.

    sqrt(n / (n - 1) sum_i (nats_i - r tokens_i)^2) / sum tokens covers the variance of the
    examples and of the noise. If few examples carry most of the sum, it is too small.
    """
    nats, n = nats.double(), len(nats)
    if n < 2:
        return None
    off = (nats - nats.sum() / tokens.sum() * tokens).square().sum() * n / (n - 1)
    return (off.sqrt() / tokens.sum()).item()


def free_tokens(x) -> Tensor:
    """Number of free tokens of each example, (B,)."""
    return (x.valid & ~x.fixed).sum(1)


def own_batches(trained: TrainedModel, rows: Rows) -> Iterator[tuple[int, Rows]]:
    """The batches of rows of this device, each with the number of its first row."""
    size, devices = eval_batch_size(trained.run, trained.layout), trained.devices
    batches = EvalBatches(rows, size, devices.rank, devices.world)
    return ((first, batch) for first, batch in batches if len(batch.prompt))


def sampled(
    trained: TrainedModel, sampler: str, rows: Rows, keep: bool = False
) -> Iterator[tuple[Rows, SampleResult]]:
    """The batches of rows of this device, each with the result of a sampler for its prompts."""
    run, layout, device = trained.run, trained.layout, trained.device
    for first, batch in own_batches(trained, rows):
        rng = sampling_generator(run, sampler, first, device)
        start = start_of(layout, batch, device)
        yield batch, draw(run, layout, trained.model, sampler, start, rng, keep)


def score_samples(
    trained: TrainedModel,
    sampler: str,
    rows: Rows,
    tracker: MetricTracker,
    predictions: Predictions | None = None,
    place: Place | None = None,
) -> dict[str, float]:
    """Scores samples for the prompts of rows, and writes them; returns the cost of sampling.

    `network_calls` is the maximum over batches, `calls_per_example` the mean over examples,
    `sampling_seconds` the maximum over devices.
    """
    devices, costs = trained.devices, []

    def records() -> Iterator[Records]:
        keep = bool(predictions and predictions.keep)
        for batch, result in sampled(trained, sampler, rows, keep):
            tracker.add_answers(result.answers, batch)
            costs.append((result.steps, result.calls, result.rows, result.seconds))
            yield records_of(predictions, batch, result, place) if predictions and place else {}

    if predictions and predictions.entries and place:
        for each in devices.each_in_order(records()):
            if devices.rank == 0:
                predictions.write(each, place)
            place = replace(place, new=False)
    else:
        deque(records(), maxlen=0)
    seconds = max(devices.gathered(sum(cost[3] for cost in costs)))
    steps, calls, evaluated, _ = zip(*devices.in_order(costs), strict=True)
    return {
        "steps": max(steps),
        "network_calls": max(calls),
        "calls_per_example": round(sum(evaluated) / len(rows.prompt), 3),
        "sampling_seconds": round(seconds, 6),
    }


def repeated(rows: Rows, n: int) -> Rows:
    """The first `n` rows, starting again from the first if there are fewer."""
    return rows.take(torch.arange(n) % len(rows.prompt))


def losses_and_bounds(
    trained: TrainedModel, rows: Rows, wanted: bool = False
) -> tuple[Tensor | None, Tensor | None]:
    """The objective of each example and, for running text, minus its likelihood bound; (N,) each.

    Both use the same noise; a bound that calls the objective does not compute it again. The first
    is None if the objective needs a teacher that is missing, the second if the package has no
    bound. `wanted`: the bound of other tasks too.
    """
    run, layout, device = trained.run, trained.layout, trained.device
    bound = bound_of(run) if wanted or not run.task.ends else None
    known = hasattr(trained.model, "teacher") or not reads_teacher(run.package)
    if not known and bound is not None and "objective(" in inspect.getsource(bound):
        bound = None
    if known and bound is None and not run.task.ends:
        message = f"warning: {run.name} has no likelihood bound with these settings"
        print(message, file=sys.stderr)
    losses, bounds = [], []
    for first, batch in own_batches(trained, rows):
        rng = generator(run.train.seed, "evaluation", first, device=device)
        given = (trained.model, to(layout.examples(batch), device), run.config)
        terms = run.package.objective(*given, rng) if known else {}
        if known:
            losses.append(torch.stack(list(terms.values())).sum(0).cpu())
        elif bound is not None:
            bounds.append(-bound(*given, rng).cpu())
            continue
        if bound is not None:
            again = generator(run.train.seed, "evaluation", first, device=device)
            with known_terms(bound, given, terms, rng.get_state()):
                bounds.append(-bound(*given, again).cpu())
    losses, bounds = trained.devices.in_order(losses), trained.devices.in_order(bounds)
    return torch.cat(losses) if losses else None, torch.cat(bounds) if bounds else None


@contextmanager
def known_terms(bound, given: tuple, terms: dict[str, Tensor], after: Tensor) -> Iterator[None]:
    """The first call of `objective` in a bound, with these arguments, returns terms that are known.

    `after`: the state of the generator after the terms were computed. Further calls compute.
    """
    scope = bound.__globals__
    objective = scope.get("objective")
    calls = 0

    def known(model, examples, config, rng: torch.Generator) -> dict[str, Tensor]:
        nonlocal calls
        calls += 1
        same = all(a is b for a, b in zip((model, examples, config), given, strict=True))
        if calls > 1 or not same:
            return objective(model, examples, config, rng)
        rng.set_state(after)
        return terms

    if objective is None:
        yield
        return
    scope["objective"] = known
    try:
        yield
    finally:
        scope["objective"] = objective


def kind_of_loss(trained: TrainedModel, rows: Rows) -> str:
    """What the loss of a package is: `exact`, minus log p; `bound`, an upper bound of it in
    expectation; or `objective`, another function.

    It is minus log_likelihood_bound if both are equal on some rows, with the same noise.
    """
    run, bound = trained.run, bound_of(trained.run)
    if bound is None:
        return "objective"
    few = rows.take(slice(0, min(SOME, eval_batch_size(run, trained.layout))))
    x = to(trained.layout.examples(few), trained.device)
    seed, given = (run.train.seed, "kind"), (trained.model, x, run.config)
    terms = run.package.objective(*given, generator(*seed, device=trained.device))
    loss = torch.stack(list(terms.values())).sum(0)
    same = torch.allclose(loss, -bound(*given, generator(*seed, device=trained.device)), 1e-4)
    return "objective" if not same else "exact" if run.package.EXACT else "bound"


def likelihood(
    run: Run, characters: int, nats: Tensor, tokens: Tensor
) -> dict[str, float | bool | None]:
    """Nats per token r = sum nats / sum tokens, its standard error, bits per character if known.

    The name is `nll` if the bound of the package is exact (`EXACT`), else `nelbo`.
    """
    nats = nats.double()
    rate = nats.sum() / tokens.sum()
    exact = getattr(run.package, "EXACT", False)
    name = "nll" if exact else "nelbo"
    bits = nats.sum().item() / math.log(2)
    return {
        name: rate.item(),
        f"{name}_error": error_of(nats, tokens),
        "bound": not exact,
        **({"bits_per_character": bits / characters} if characters else {}),
    }
