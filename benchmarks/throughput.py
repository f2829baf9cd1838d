"""FLOP/s of training steps against the limit of this CPU, and samples per second."""

import importlib
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.evaluation.scoring import CallCounter, start_of
from xlm_spec.runtime.loading.layout import layout_of
from xlm_spec.runtime.randomness import generator
from xlm_spec.workbench.flops import flops_of, step_of

TASK, BATCH, LIMIT = "star_easy", 64, 2048


def limit() -> float:
    """FLOP/s of a product of two square matrices in float32."""
    a, b = torch.randn(2, LIMIT, LIMIT)
    return 2 * LIMIT**3 / seconds(lambda: a @ b)


def seconds(call: Callable[[], object], times: int = 3) -> float:
    """The minimum over a few timings of a call."""
    call()
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return min(found)


def training(name: str, width: int) -> tuple[Callable[[], object], float]:
    """A training step of a package at size `cpu` with another width, and its FLOP."""
    run = package_run(name, f"backbone.width={width}", f"train.batch={BATCH}")
    step = step_of(run, layout_of(run.package, run.task, run.config.vocab, run.data.fill))
    step()
    return step, flops_of(step)


def package_run(name: str, *sets: str):
    """The run of a package on star_easy at size `cpu`, as `train` resolves it."""
    package = importlib.import_module(name)
    main = importlib.import_module(f"{name}.__main__")
    return resolve_config(package, main.DATA, main.TRAIN, TASK, "cpu", sets=sets)


@torch.no_grad()
def sampling(name: str, rows: int = 250) -> dict[str, tuple[float, float]]:
    """Samples per second of each sampler with its own settings, and its calls per example.

    The weights are random, so confident predictions speed up no sampler.
    """
    run = package_run(name)
    layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
    start = start_of(layout, run.task.rows("val").take(slice(0, rows)), "cpu")
    model, out = build_model(run, layout.max_length).eval(), {}
    for sampler, sample in run.package.SAMPLERS.items():
        counted = CallCounter(model)
        begun = time.perf_counter()
        for _ in sample(counted, run.config, start, generator("speed", sampler)):
            pass
        out[sampler] = rows / (time.perf_counter() - begun), counted.rows / rows
    return out


def corruption(
    name: str, batch: int = 64, length: int = 128, words: int = 30_524
) -> tuple[float, float]:
    """Seconds for corruption and targets of a package, and the increase of peak memory, MB.

    The objective runs with losses that compute nothing.
    """
    import resource

    package = importlib.import_module(name)
    objective, loss = (importlib.import_module(f"{name}.{m}") for m in ("objective", "loss"))
    for term in (n for n, f in vars(objective).items() if vars(loss).get(n) is f and callable(f)):
        setattr(objective, term, lambda model, hidden, *_, **__: hidden)
    config = package.Config.small()
    config = replace(config, vocab=replace(config.vocab, size=words))
    rng = generator("speed")
    tokens = torch.randint(len(config.vocab.special), words, (batch, length), generator=rng)
    first = torch.arange(length).expand(batch, -1) == 0
    x = package.Examples(tokens, torch.ones_like(first), first)

    def nothing(tokens, *_):
        return torch.zeros(tokens.shape)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best = seconds(lambda: package.objective(nothing, x, config, rng), times=20)
    return best, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
