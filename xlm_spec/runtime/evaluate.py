"""The workflow `eval`: every example of a split, once."""

import json
import time

import torch

from xlm_spec.runtime.data import Scored
from xlm_spec.runtime.loaded import Loaded, load, sampler_of
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.scoring import Scores, draw, nats, sampling_generator, start_of


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
    """The loss in nats per token of the training mean, and the task's metrics."""
    run, layout, model, device = loaded.run, loaded.layout, loaded.model, loaded.device
    rows = run.task.rows(split)
    clean = layout.examples(rows)
    scale = (clean.valid & ~clean.fixed).sum(1).double().mean().item()
    scores, calls, steps, begun = Scores(run), 0, 0, time.perf_counter()
    scored = Scored(rows)
    for first, part in (scored[i] for i in range(len(scored))):
        rng = generator(run.train.seed, "evaluation", first, device=device)
        scores.add_loss(nats(run, layout, model, part, rng).cpu(), scale)
        rng = sampling_generator(run, sampler, first, device)
        drawn = draw(run, layout, model, sampler, start_of(layout, part, device), rng)
        scores.add_answers(drawn.answers, layout.truths(part))
        calls, steps = max(calls, drawn.calls), max(steps, drawn.steps)
    return {
        "package": run.name,
        "task": run.task.name,
        "size": run.size,
        "sampler": sampler,
        "split": split,
        "examples": len(rows.prompt),
        **scores.compute(),
        "steps": steps,
        "network_calls": calls,
        "seconds": round(time.perf_counter() - begun, 3),
        "checkpoint": str(loaded.checkpoint),
    }
