"""What the harness costs beside a bare PyTorch loop, and what a start costs beside its imports.

python -m benchmarks.speed [--rounds 5]

Both are ratios of measurements that alternate in one run, because machines are shared and noisy.
"""

import argparse
import copy
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.runs import build, machine, workplace

TASK, STEPS, WARM = "star_mini", 80, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with workplace() as place:
        build(place, "mdlm")
        starts = [start(place) for _ in range(rounds)]
        sys.path.insert(0, str(place / "mdlm"))
        steps = step_times(rounds)
    ratio = [h / b for h, b in steps]
    print(f"training step, mdlm on {TASK}, size cpu, median of {STEPS - WARM} steps a round")
    print(f"  harness      {told([h for h, _ in steps])} ms")
    print(f"  bare loop    {told([b for _, b in steps])} ms")
    print(f"  ratio        {told(ratio, '{:.3f}')}")
    print("process start to the end of the first training step")
    print(f"  ours         {told([o for o, _ in starts])} ms")
    print(f"  import torch and lightning {told([i for _, i in starts])} ms")
    print(f"  ratio        {told([o / i for o, i in starts], '{:.3f}')}")
    print(f"  (median, lowest, highest of {rounds} rounds) {machine(threads=1)}")


def told(values: list[float], form: str = "{:.1f}") -> str:
    parts = statistics.median(values), min(values), max(values)
    return "{} ({} to {})".format(*(form.format(v) for v in parts))


def start(place: Path) -> tuple[float, float]:
    """Milliseconds to the first training step, and of the imports alone."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        words = ["-m", "mdlm", "train", "--task", TASK, "--size", "cpu", "--steps", "1"]
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *words, "--run", str(run), "--set", "train.log_every=1"],
            cwd=place / "mdlm",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        lines = run / "metrics.jsonl"
        while not (lines.exists() and json_step(lines)) and process.poll() is None:
            time.sleep(0.002)
        ours = time.perf_counter() - begun
        process.wait()
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch; import lightning"], check=True)
    return 1000 * ours, 1000 * (time.perf_counter() - begun)


def json_step(file: Path) -> bool:
    """Is the first step on record?"""
    first = file.read_text().partition("\n")
    return bool(first[1]) and json.loads(first[0])["step"] >= 1


def step_times(rounds: int) -> list[tuple[float, float]]:
    """Milliseconds of a step in the harness and in a bare loop, round by round."""
    from xlm_spec.runtime.choose import choose

    package = importlib.import_module("mdlm")
    sets = [f"train.steps={STEPS}", f"train.evaluate_every={STEPS + 1}"]
    run = choose(package, {"fill": "eos"}, {"ema": 0.9999}, TASK, "cpu", sets=sets)
    return [(harness_step(run), bare_step(run)) for _ in range(rounds)]


def harness_step(run) -> float:
    """The harness as `train` runs it: averaged weights, logs and all."""
    from lightning.pytorch.callbacks import Callback

    from xlm_spec.runtime import train

    times: list[float] = []

    class Clock(Callback):
        def on_train_batch_end(self, *args) -> None:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train.quiet()
        data, harness = train.parts(run, place)
        trainer = train.trainer_of(run, place, None, 1)
        trainer.callbacks.append(Clock())
        trainer.fit(harness, data)
    return median_step(times)


def bare_step(run) -> float:
    """The same model, batches, objective, optimiser and clipping, and nothing else."""
    import torch

    from xlm_spec.runtime import train
    from xlm_spec.runtime.data import Stream

    with tempfile.TemporaryDirectory() as folder:
        data, harness = train.parts(run, Path(folder))
    model, package = copy.deepcopy(harness.model), run.package
    made = harness.configure_optimizers()
    groups = made["optimizer"].param_groups
    names = {id(p): n for n, p in harness.model.named_parameters()}
    mine = dict(model.named_parameters())
    swapped = [g | {"params": [mine[names[id(p)]] for p in g["params"]]} for g in groups]
    optimizer = torch.optim.AdamW(swapped, fused=True)
    rng, times = torch.Generator().manual_seed(0), []
    for x, _ in zip(Stream(data.train, run, 0, 0, 1), range(STEPS), strict=False):
        terms = package.objective(model, x, run.config, rng)
        loss = torch.stack(list(terms.values())).sum(0).mean() / harness.scale
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), run.train.clip)
        optimizer.step()
        times.append(time.perf_counter())
    return median_step(times)


def median_step(times: list[float]) -> float:
    gaps = [b - a for a, b in zip(times[WARM:], times[WARM + 1 :], strict=False)]
    return 1000 * statistics.median(gaps)


if __name__ == "__main__":
    main()
