"""The workflow `eval`: the metrics of a checkpoint on every example of a split."""

import inspect
import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.evaluation import protocol
from xlm_spec.runtime.evaluation.batches import in_fitting_batches, in_precision
from xlm_spec.runtime.evaluation.metric_tracker import MetricTracker
from xlm_spec.runtime.evaluation.predictions import Predictions, folder_of, records_of
from xlm_spec.runtime.evaluation.samples import Place, Records
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
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model, sampler_of
from xlm_spec.runtime.weights.teacher import reads_teacher, with_teacher

SOME = 8  # rows that tell what a loss is


def evaluate(package, data, train, args) -> None:
    """Prints the metrics of a checkpoint."""
    devices = devices_of(args.devices, args.nodes)
    with shared(devices, lambda: prepared(package, data, train, args, devices)) as found:
        trained, sampler, predictions = found
        asked = args.limit or 0, args.draws, args.judge or "", args.zero_shot
        result = figures(trained, sampler, args.split, *asked, predictions=predictions)
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
    draws: int = 1,
    judge: str = "",
    corpora: Sequence[str] = (),
    predictions: Predictions | None = None,
) -> dict:
    """The loss in nats per token, the metrics and, of text, its likelihood: protocol.py.

    `limit`: of the examples, the first of the split; 0: all. `draws`: of the noise of a bound.
    `corpora`: other text that is scored, without samples.
    """
    run, begun = with_teacher(trained.run, required=False), time.perf_counter()
    if run.teacher is not None:
        object.__setattr__(trained.model, "teacher", run.teacher)
    of_text = protocol.is_text(run.task)
    if (judge or corpora or draws > 1) and not of_text:
        flag = "--judge" if judge else "--zero-shot" if corpora else "--draws"
        message = f"{flag} applies to tasks of text, not to `{run.task.name}`"
        raise Failed(Diagnostic("X602", message))
    run = protocol.with_samples(run, judge) if of_text else run
    run, others_named = protocol.with_corpora(run, corpora)
    trained = replace(trained, run=run)
    with trained.devices.first_alone():
        loaders = Loaders(run)
        rows = loaders.own.rows(split)
        others = [x for x in loaders.of(split) if x.name]
        read = {x.name: loaders.rows(x, split) for x in others}
    if trained.data.get(split, rows.digest) != rows.digest:
        message = f"warning: the data of split `{split}` have changed since training"
        print(message, file=sys.stderr)
    whole = of_text and not (limit and limit < len(rows.prompt))
    of_own = Place(split, trained.step or 0, "", sampler)
    given = trained, sampler, split, predictions
    text = protocol.sizes(run.task, split) if whole else {}
    found = scores(*given, first(rows, limit), of_own, text, draws)
    more: dict[str, dict] = {}
    for x in others:
        place, task = replace(of_own, loader=x.name), x.manager.task
        of_whole = x.name in others_named and not (limit and limit < len(read[x.name].prompt))
        text = protocol.sizes(task, x.entry.split or split) if of_whole else {}
        sampling = x.name not in others_named
        figure = scores(*given, first(read[x.name], limit), place, text, draws, sampling)
        kind = getattr(task, "sequences", "")
        more[x.name] = {**({"sequences": kind} if kind else {}), **figure}
    return {
        "package": run.name,
        "task": run.task.name,
        "size": run.size,
        "sampler": sampler,
        "split": split,
        **({"protocol": protocol.VERSION} if of_text else {}),
        **({"sequences": said} if (said := getattr(run.task, "sequences", "")) else {}),
        **found,
        **({"judge": judge} if judge else {}),
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
    text: Mapping[str, int] = MappingProxyType({}),
    draws: int = 1,
    sampling: bool = True,
) -> dict:
    """The figures of some rows; `text`: the characters and bytes of all of them, if known."""
    run, layout = trained.run, trained.layout
    lengths = [free_tokens(layout.examples(x)) for _, x in EvalBatches(rows, CHUNK)]
    tokens = torch.cat(lengths).double()
    tracker = MetricTracker(run, split, place.loader)
    losses, bounds = losses_and_bounds(trained, rows, tracker.reads_likelihood, draws)
    true = true_tokens(layout, rows)
    if trained.devices.rank == 0:  # it has those of all examples
        if losses is not None:
            tracker.add_loss(losses, tokens.mean().item())
        if bounds is not None and tracker.reads_likelihood:
            tracker.add_likelihoods(bounds.mean(1), true, rows)
    n = run.task.samples or len(rows.prompt)
    cost = {}
    if sampling:
        cost = score_samples(trained, sampler, repeated(rows, n), tracker, predictions, place)
    likely = {}
    if bounds is not None and protocol.is_text(run.task):
        likely = protocol.likelihood(run, bounds, true, **text)
    return {
        "examples": len(rows.prompt),
        "loss": None,
        **({} if losses is None else {"loss_error": protocol.error_of(losses, tokens)}),
        **tracker.compute(sampling),
        **({"loss": None} if losses is None else {"loss_kind": kind_of_loss(trained, rows)}),
        **likely,
        **({} if run.task.samples is None or not sampling else {"samples": n}),
        **cost,
    }


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
    trained: TrainedModel, rows: Rows, wanted: bool = False, draws: int = 1
) -> tuple[Tensor | None, Tensor | None]:
    """The objective of each example, (N,), and, of text, minus its likelihood bound, (N, draws).

    Both use the same noise; a bound that calls the objective does not compute it again. The first
    is None if the objective needs a teacher that is missing, the second if the package has no
    bound. `wanted`: the bound of other tasks too.
    """
    run, layout, device = trained.run, trained.layout, trained.device
    of_text = protocol.is_text(run.task)
    bound = bound_of(run) if wanted or of_text else None
    known = hasattr(trained.model, "teacher") or not reads_teacher(run.package)
    if not known and bound is not None and "objective(" in inspect.getsource(bound):
        bound = None
    if known and bound is None and of_text:
        message = f"warning: {run.name} has no likelihood bound with these settings"
        print(message, file=sys.stderr)
    number = 1 if getattr(run.package, "EXACT", False) else draws
    losses, bounds = [], []
    for first, batch in own_batches(trained, rows):
        rng = generator(run.train.seed, "evaluation", first, device=device)
        given = (trained.model, to(layout.examples(batch), device), run.config)
        terms = run.package.objective(*given, rng) if known else {}
        if known:
            losses.append(torch.stack(list(terms.values())).sum(0).cpu())
        if bound is None:
            continue
        if known and number == 1:
            again = generator(run.train.seed, "evaluation", first, device=device)
            with known_terms(bound, given, terms, rng.get_state()):
                bounds.append(-bound(*given, again).cpu()[:, None])
        elif number == 1:
            bounds.append(-bound(*given, rng).cpu()[:, None])
        else:
            bounds.append(drawn_bounds(bound, given, number, (run.train.seed, first), device))
    losses, bounds = trained.devices.in_order(losses), trained.devices.in_order(bounds)
    return torch.cat(losses) if losses else None, torch.cat(bounds) if bounds else None


def drawn_bounds(bound, given: tuple, number: int, key: tuple, device) -> Tensor:
    """Minus the bound of each example with `number` draws of the noise, (B, number).

    A package that spreads its times over `index` has the draws of an example in equal parts of the
    time, one in each.
    """
    model, x, config = given
    found = []
    for j in range(number):
        part = x._replace(index=torch.full_like(x.tokens[:, 0], j), total=number)
        rng = generator(key[0], "evaluation draw", key[1], j, device=device)
        found.append(-bound(model, part, config, rng).cpu())
    return torch.stack(found, 1)


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
