"""The workflow `eval`: every example of a split, once."""

import json
import math
import sys
import time
from typing import cast

import torch
from torch import Tensor

from xlm_spec.runtime.choose import Run
from xlm_spec.runtime.data import Scored
from xlm_spec.runtime.loaded import Loaded, load, sampler_of
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.scoring import Scores, bound_of, draw, nats, sampling_generator, start_of, to
from xlm_spec.runtime.tasks.task import Rows, RunningText


def evaluate(package, data, train, args) -> None:
    """Prints the figures of a checkpoint."""
    loaded = load(package, data, train, args)
    found = figures(loaded, sampler_of(loaded.run, args.sampler), args.split)
    if args.json:
        print(json.dumps(found))
        return
    for key, value in found.items():
        print(f"{key:20} {value:.4f}" if isinstance(value, float) else f"{key:20} {value}")


@torch.no_grad()
def figures(loaded: Loaded, sampler: str, split: str) -> dict:
    """The loss in nats per token, the task's metrics and, of running text, its likelihood."""
    run, begun = loaded.run, time.perf_counter()
    rows = run.task.rows(split)
    clean = loaded.layout.examples(rows)
    tokens = (clean.valid & ~clean.fixed).sum(1).double()
    scores = Scores(run)
    losses, bounds = nats_of(loaded, rows)
    scores.add_loss(losses, tokens.mean().item())
    written = sampled(loaded, sampler, rows, scores)
    return {
        "package": run.name,
        "task": run.task.name,
        "size": run.size,
        "sampler": sampler,
        "split": split,
        "examples": len(rows.prompt),
        **scores.compute(),
        **(likelihood(run, split, bounds, tokens) if bounds is not None else {}),
        **written,
        "seconds": round(time.perf_counter() - begun, 3),
        "checkpoint": str(loaded.checkpoint),
    }


def sampled(loaded: Loaded, sampler: str, rows: Rows, scores: Scores) -> dict[str, float]:
    """Scores what is written for all examples, or as many as the task wants; the cost of it.

    `network_calls` are those of the batch that took most, `calls_per_example` how often an example
    was read.
    """
    run, layout, device = loaded.run, loaded.layout, loaded.device
    wanted = run.task.samples or len(rows.prompt)
    some = rows.take(torch.arange(wanted) % len(rows.prompt))
    calls = steps = read = 0
    seconds = 0.0
    scored = Scored(some)
    for first, part in (scored[i] for i in range(len(scored))):
        rng = sampling_generator(run, sampler, first, device)
        drawn = draw(run, layout, loaded.model, sampler, start_of(layout, part, device), rng)
        scores.add_answers(drawn.answers, part)
        calls, steps = max(calls, drawn.calls), max(steps, drawn.steps)
        read, seconds = read + drawn.rows, seconds + drawn.seconds
    told = {} if run.task.samples is None else {"samples": len(some.prompt)}
    each = round(read / len(some.prompt), 3)
    cost = {"steps": steps, "network_calls": calls, "calls_per_example": each}
    return told | cost | {"sampling_seconds": round(seconds, 6)}


def nats_of(loaded: Loaded, rows: Rows) -> tuple[Tensor, Tensor | None]:
    """The objective of each example and, of running text, minus the bound of its log p; (N,) both.

    Both are estimated with the same noise. Without a bound in the package there is none.
    """
    run, layout, device = loaded.run, loaded.layout, loaded.device
    bound = None if run.task.ends else bound_of(run)
    if bound is None and not run.task.ends:
        told = f"{run.name} has no likelihood bound with these numbers: no figure of it"
        print(told, file=sys.stderr)
    losses, bounds = [], []
    scored = Scored(rows)
    for first, part in (scored[i] for i in range(len(scored))):
        rng = generator(run.train.seed, "evaluation", first, device=device)
        losses.append(nats(run, layout, loaded.model, part, rng).cpu())
        if bound is not None:
            rng = generator(run.train.seed, "evaluation", first, device=device)
            x = to(layout.examples(part), device)
            bounds.append(-bound(loaded.model, x, run.config, rng).cpu())
    return torch.cat(losses), torch.cat(bounds) if bounds else None


def likelihood(run: Run, split: str, nats: Tensor, tokens: Tensor) -> dict[str, float | bool]:
    """Nats per token r = sum nats / sum tokens, its standard error, bits per character.

    `nll` where the package says that its bound is exact (`EXACT`), else `nelbo`. The error is
    sqrt(n / (n - 1) sum_i (nats_i - r tokens_i)^2) / sum tokens over n blocks: it tells of the text
    and of the noise.
    """
    nats, n = nats.double(), len(nats)
    rate = nats.sum() / tokens.sum()
    off = (nats - rate * tokens).square().sum() * n / max(1, n - 1)
    task = cast(RunningText, run.task)
    exact = getattr(run.package, "EXACT", False)
    name = "nll" if exact else "nelbo"
    return {
        name: rate.item(),
        f"{name}_error": (off.sqrt() / tokens.sum()).item(),
        "bound": not exact,
        "bits_per_character": nats.sum().item() / math.log(2) / task.characters(split),
    }
