"""The workflow `generate`: continue prompts, or fill the blanks of texts."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from xlm_spec.runtime.evaluation.batches import halved, in_precision
from xlm_spec.runtime.evaluation.predictions import Place, Predictions, folder_of
from xlm_spec.runtime.evaluation.scoring import SampleResult, draw
from xlm_spec.runtime.generation.page import page, write
from xlm_spec.runtime.generation.prompts import Prompts, prompts_to_continue, texts_to_fill
from xlm_spec.runtime.generation.watch import Screen
from xlm_spec.runtime.loading.data_module import eval_batch_size
from xlm_spec.runtime.machine.shortage import is_shortage
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model, sampler_of


def generate(package, data, train, args) -> None:
    """Prints samples on stdout: one text per line, or with --json one object per line."""
    trained = load_model(package, data, train, args)
    run, words = trained.run, trained.run.task.words
    sampler = sampler_of(run, args.sampler)
    if args.fill:
        prompts = texts_to_fill(trained, args.fill, args.n)
    else:
        prompts = prompts_to_continue(trained, args.prompt, args.n)
    if args.html:
        write(args.html, "", "a")  # fails before anything is sampled
    fill, predictions = bool(args.fill), Predictions(run, "predict", folder_of(args.run))
    keep = bool(args.watch or args.html or predictions.keep)
    place = Place("predict", trained.step or 0, "", sampler)
    size = len(prompts.texts) if args.html else eval_batch_size(run, trained.layout)
    given = trained, sampler, prompts, size, args.seed, keep, fill
    for number, (part, result, answers) in enumerate(sampled(*given, fixed=bool(args.html))):
        if args.watch and not number:
            Screen(run, sys.stderr).show(result.states)
        for text, answer in zip(part.texts, answers.tolist(), strict=True):
            tokens = [t for t in answer if t >= 0]
            record = {
                "prompt": text,
                "text": words.decode(tokens),
                "tokens": tokens,
                "steps": result.steps,
                "network_calls": result.calls,
                "seconds": round(result.seconds / len(part.texts), 6),
            }
            print(json.dumps(record) if args.json else f"{record['prompt']} -> {record['text']}")
        predictions.write(part.texts, result, answers, None, replace(place, new=not number))
    predictions.close()
    if args.html:
        others = [] if args.sampler else [n for n in run.package.SAMPLERS if n != sampler]
        more = {n: sample_prompts(trained, n, prompts, args.seed, keep, fill)[0] for n in others}
        write(args.html, page(trained, args.seed, {sampler: result} | more))


def sampled(
    trained: TrainedModel,
    sampler: str,
    prompts: Prompts,
    size: int,
    seed: int,
    keep: bool,
    fill: bool,
    fixed: bool,
) -> Iterator[tuple[Prompts, SampleResult, Tensor]]:
    """Prompts in batches of at most `size`, with their samples; see `sample_prompts`.

    Unless it is `fixed`, the size is halved while memory is short.
    """
    first = number = 0
    while first < len(prompts.texts):
        part = some(prompts, slice(first, first + size))
        try:
            result, answers = sample_prompts(trained, sampler, part, seed, keep, fill, number)
        except (RuntimeError, MemoryError) as e:
            if fixed or not is_shortage(e) or size == 1:
                raise
        else:
            yield part, result, answers
            first, number = first + size, number + 1
            continue
        size = halved(min(size, len(part.texts)))


def some(prompts: Prompts, span: slice) -> Prompts:
    start = prompts.start
    rows = (a[span] if isinstance(a, Tensor) and a.ndim else a for a in start)
    return Prompts(prompts.texts[span], type(start)(*rows))


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
