"""CPU time of a training step with and without the options that only change its speed.

python -m benchmarks.options [mdlm] [--rounds 3] [--steps 10]

star_easy, size cpu, batch 64, one thread; the ways alternate. Optimisers: AdamW as torch chooses by
default, `foreach` and `fused`, which runs use; the step of the optimiser alone, and the largest
difference of a weight from those of the first after the same steps, in units of the learning rate.
`train.compile`: a whole step with the backbone as it is and compiled, without the compilation.
"""

import argparse
import copy
import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from benchmarks.runs import build, workplace
from benchmarks.speed import spread
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

RATE = 1e-3
WAYS: dict[str, dict[str, bool]] = {
    "default": {},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


def milliseconds(call: Callable[[], object], steps: int) -> float:
    begun = time.process_time()
    for _ in range(steps):
        call()
    return 1000 * (time.process_time() - begun) / steps


def optimisers(model: torch.nn.Module, backward: Callable, rounds: int, steps: int) -> None:
    models = {way: copy.deepcopy(model) for way in WAYS}
    made = {
        way: torch.optim.AdamW(models[way].parameters(), lr=RATE, **options)
        for way, options in WAYS.items()
    }
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    backward(model)
    for _ in range(rounds + 1):  # the first one allocates the state
        for way, twin in models.items():
            for p, q in zip(twin.parameters(), model.parameters(), strict=True):
                p.grad = q.grad
            times[way].append(milliseconds(made[way].step, steps))
    first = [*models["default"].parameters()]
    rows = []
    for way, twin in models.items():
        pairs = zip(first, twin.parameters(), strict=True)
        apart = max(float((p - q).detach().abs().max()) for p, q in pairs) / RATE
        rows.append({"AdamW": way, "ms": spread(times[way][1:]), "apart": f"{apart:.1g}"})
    print(table(rows) + "\n", flush=True)


def compiled(model: torch.nn.Module, backward: Callable, rounds: int, steps: int) -> None:
    twin = copy.deepcopy(model)
    twin.backbone.compile()
    begun = time.process_time()
    for _ in range(3):
        backward(twin)
    took = time.process_time() - begun
    found = [
        [milliseconds(lambda m=m: backward(m), steps) for m in (model, twin)] for _ in range(rounds)
    ]
    rows = [
        {"backbone": "as it is", "ms": spread([a for a, _ in found])},
        {"backbone": "compiled", "ms": spread([b for _, b in found])},
    ]
    print(table(rows))
    ratio = spread([b / a for a, b in found], "{:.2f}")
    print(f"ratio {ratio}; compiled in {took:.0f} s of CPU time\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", nargs="?", default="mdlm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with workplace() as place:
        build(place, args.package)
        sys.path.insert(0, str(place / args.package))
        model, backward = setting(args.package)
        optimisers(model, backward, args.rounds, args.steps)
        compiled(model, backward, args.rounds, args.steps)
    print(machine(threads=1))


def setting(name: str) -> tuple[torch.nn.Module, Callable[[torch.nn.Module], None]]:
    """A model, and a step that computes the gradients of a model like it."""
    from benchmarks import throughput
    from xlm_spec.runtime.config.resolve_config import build_model
    from xlm_spec.runtime.loading.layout import layout_of

    run = throughput.package_run(name, f"train.batch={throughput.BATCH}")
    layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
    model = build_model(run, layout.max_length)
    rows = run.task.rows("val").take(slice(0, throughput.BATCH))
    x = layout.examples(rows)
    rng = torch.Generator().manual_seed(0)

    def backward(some: torch.nn.Module) -> None:
        some.zero_grad()
        terms = run.package.objective(some, x, run.config, rng)
        sum(terms.values()).mean().backward()

    return model, backward


if __name__ == "__main__":
    main()
