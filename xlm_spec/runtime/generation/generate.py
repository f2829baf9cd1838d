"""The workflow `generate`: continue prompts, or fill the blanks of texts."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.data.rows import Rows
from xlm_spec.runtime.evaluation.batches import halved, in_precision
from xlm_spec.runtime.evaluation.metric_tracker import MetricTracker
from xlm_spec.runtime.evaluation.predictions import Predictions, folder_of
from xlm_spec.runtime.evaluation.samples import Place, Records
from xlm_spec.runtime.evaluation.scoring import SampleResult, draw
from xlm_spec.runtime.generation.page import page, write
from xlm_spec.runtime.generation.prompts import Prompts, prompts_to_continue, texts_to_fill
from xlm_spec.runtime.generation.watch import Screen
from xlm_spec.runtime.loading.data_module import eval_batch_size
from xlm_spec.runtime.machine.devices import Devices, devices_of, shared
from xlm_spec.runtime.machine.shortage import is_shortage
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model, sampler_of

T = TypeVar("T")


@dataclass(frozen=True)
class Samples:
    """What is printed and written of a batch of prompts."""

    shown: list[dict[str, Any]]  # of each sample
    records: Records
    rows: Rows | None
    answers: Tensor


def generate(package, data, train, args) -> None:
    """Prints samples on stdout: one text per line, or with --json one object per line."""
    devices = devices_of(args.devices, args.nodes)
    with shared(devices, lambda: prepared(package, data, train, args, devices)) as found:
        trained, sampler, prompts, predictions, metrics = found
        keep = bool(args.watch or args.html or predictions.keep)
        drawing = Drawing(trained, sampler, args.seed, keep, fill=bool(args.fill))
        place = Place("predict", trained.step or 0, "", sampler)

        def samples(part: Prompts, result: SampleResult, answers: Tensor, batch: int) -> Samples:
            if args.watch and not batch:
                Screen(trained.run, sys.stderr).show(result.states)
            records = predictions.records(part.texts, result, answers, None, place)
            shown = shown_of(trained, part, result, answers)
            return Samples(shown, records, part.rows, answers)

        if args.html:
            result, answers = drawing.drawn(prompts)
            every = iter([samples(prompts, result, answers, 0)])
        else:
            every = sampled(drawing, prompts, eval_batch_size(trained.run, trained.layout), samples)
        for number, each in enumerate(every):
            for record in each.shown:
                line = f"{record['prompt']} -> {record['text']}"
                print(json.dumps(record) if args.json else line)
            if devices.rank == 0:
                predictions.write(each.records, replace(place, new=not number))
                if each.rows is not None:
                    metrics.add_answers(each.answers, each.rows)
        predictions.close()
        for name, value in metrics.compute().items() if metrics.entries and prompts.rows else ():
            if name != "loss":
                print(f"{name:20} {value:.4f}", file=sys.stderr)
        if args.html:
            others = [n for n in trained.run.package.SAMPLERS if not args.sampler and n != sampler]
            more = {n: replace(drawing, sampler=n).drawn(prompts)[0] for n in others}
            write(args.html, page(trained, args.seed, {sampler: result} | more))


def prepared(
    package, data, train, args, devices: Devices
) -> tuple[TrainedModel, str, Prompts, Predictions, MetricTracker]:
    """The model, the name of the sampler, the prompts, where samples are written, and metrics.

    Raises Failed (X602) if a metric reads true answers, which given prompts have not.
    """
    trained = replace(load_model(package, data, train, args), devices=devices)
    sampler = sampler_of(trained.run, args.sampler)
    if args.fill:
        prompts = texts_to_fill(trained, args.fill, args.n)
    else:
        prompts = prompts_to_continue(trained, args.prompt, args.n)
    if args.html:
        write(args.html, "", "a")  # fails before anything is sampled
    predictions = Predictions(trained.run, "predict", folder_of(args.run))
    metrics = MetricTracker(trained.run, "predict")
    lacking = next((e.name for e in metrics.entries if e.of_truths), None)
    if lacking is not None and not prompts.with_truths:
        message = f"`data.metrics`: `{lacking}` reads true answers, which given prompts have not"
        hint = "leave out --prompt and --fill, or give it the stages [val, test] alone"
        raise Failed(Diagnostic("X602", message, hint))
    return trained, sampler, prompts, predictions, metrics


def shown_of(
    trained: TrainedModel, part: Prompts, result: SampleResult, answers: Tensor
) -> list[dict[str, Any]]:
    """What is printed of each sample."""
    found = []
    for text, answer in zip(part.texts, answers.tolist(), strict=True):
        tokens = [t for t in answer if t >= 0]
        found.append(
            {
                "prompt": text,
                "text": trained.run.task.tokenizer.decode(tokens),
                "tokens": tokens,
                "steps": result.steps,
                "network_calls": result.calls,
                "seconds": round(result.seconds / len(part.texts), 6),
            }
        )
    return found


@dataclass(frozen=True)
class Drawing:
    """How samples are drawn."""

    trained: TrainedModel
    sampler: str
    seed: int
    keep: bool  # whole trajectories
    fill: bool  # blanks of texts

    def drawn(self, prompts: Prompts, batch: int = 0) -> tuple[SampleResult, Tensor]:
        given = self.trained, self.sampler, prompts, self.seed, self.keep, self.fill
        return sample_prompts(*given, batch)


def sampled(
    drawing: Drawing,
    prompts: Prompts,
    size: int,
    found: Callable[[Prompts, SampleResult, Tensor, int], T],
) -> Iterator[T]:
    """What is `found` in the samples of each batch of at most `size` prompts, in their order.

    `found` gets the prompts, the result and the answers of a batch, see `sample_prompts`, and its
    number. Each device samples a batch at a time. While memory is short on any, the size is halved
    from the first batch on that did not fit; so the samples do not depend on the number of devices.
    """
    devices = drawing.trained.devices
    first = number = 0
    while first < len(prompts.texts):
        batch = number + devices.rank
        begin = first + devices.rank * size
        part = some(prompts, slice(begin, begin + size))
        own: list[T] | None = []
        try:
            own = [found(part, *drawing.drawn(part, batch), batch)] if part.texts else []
        except (RuntimeError, MemoryError) as e:
            if not is_shortage(e) or size == 1:
                raise
            own = None
        for result in (every := devices.gathered(own)):
            if result is None:
                break
            yield from result
            first, number = first + size, number + 1
        if None in every:
            size = halved(min(size, len(prompts.texts) - first))


def some(prompts: Prompts, span: slice) -> Prompts:
    start, rows = prompts.start, prompts.rows
    parts = (a[span] if isinstance(a, Tensor) and a.ndim else a for a in start)
    rows = rows.take(span) if rows else None
    return Prompts(prompts.texts[span], type(start)(*parts), rows, prompts.with_truths)


@in_precision
@torch.no_grad()
def sample_prompts(
    trained: TrainedModel,
    sampler: str,
    prompts: Prompts,
    seed: int,
    keep: bool = False,
    fill: bool = False,
    batch: int = 0,
) -> tuple[SampleResult, Tensor]:
    """The result of a sampler, and its answers (N, W) padded with -1; with `fill` whole texts.

    Blanks fix the length of a text, so EOS is forbidden in them. The randomness of a sampler does
    not depend on the other samplers. `batch`: number of this batch of prompts.
    """
    run, layout, model = trained.run, trained.layout, trained.model
    key = (seed, "generate", sampler, *([batch] if batch else []))
    rng = generator(*key, device=trained.device)
    if not fill:
        result = draw(run, layout, model, sampler, prompts.start, rng, keep)
        return result, result.answers
    vocab = run.config.vocab
    with forbid_token(model, vocab.eos, vocab.size):
        result = draw(run, layout, model, sampler, prompts.start, rng, keep)
    last = result.states[-1]
    return result, layout.whole(last.tokens.cpu(), last.valid.cpu())


@contextmanager
def forbid_token(model: torch.nn.Module, token: int, size: int) -> Iterator[None]:
    """Inside this context all heads give the token probability zero; -1 forbids nothing."""

    def forbid(head, inputs, logits):
        if token >= 0 and isinstance(logits, Tensor) and logits.shape[-1:] == (size,):
            return logits.index_fill(-1, torch.tensor([token], device=logits.device), -torch.inf)
        return logits

    heads = [m for name, m in model.named_children() if name != "backbone"]
    hooks = [head.register_forward_hook(forbid) for head in heads]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
