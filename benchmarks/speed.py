"""The cost of training steps, sampling, commands and process starts.

python -m benchmarks.speed [--rounds 5]

Ratios are between measurements that alternate in one run, because machines are noisy.
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

from benchmarks.runs import ROOT, build, workplace
from xlm_spec.workbench.figures import table
from xlm_spec.workbench.machine import machine

TASK, STEPS, WARM = "star_mini", 80, 20
GROWING = ("ilm", "flexmdm", "editflows", "editflows_noise")  # from the smallest memory on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with workplace() as place:
        build(place, "mdlm", "mdlm_dit", "mdlm_samplers", "arlm", *GROWING)
        sys.path[:0] = [str(p) for p in place.iterdir()]
        corruption(rounds)
        widths(rounds)
        samplers(rounds)
        harness(rounds)
        starts(place, rounds)
        commands(place, rounds)
    print(f"(median, lowest to highest of {rounds} rounds) {machine(threads=1)}")


def widths(rounds: int) -> None:
    """Achieved FLOP/s and the limit of this CPU, measured alternately."""
    from benchmarks import throughput

    rows = []
    for name in ("mdlm", "mdlm_dit"):
        for width in (64, 128, 256):
            step, flop = throughput.training(name, width)
            found = [(throughput.seconds(step), throughput.limit()) for _ in range(rounds)]
            rows.append(
                {
                    "package": name,
                    "width": width,
                    "ms per step": spread([1000 * t for t, _ in found]),
                    "GFLOP per step": f"{flop / 1e9:.2f}",
                    "GFLOP/s": spread([flop / t / 1e9 for t, _ in found]),
                    "limit": spread([most / 1e9 for _, most in found]),
                    "share of the limit": spread([flop / t / most for t, most in found], "{:.2f}"),
                }
            )
    print("training step, star_easy, size cpu except for the width, batch 64, float32")
    print(f"limit: product of two {throughput.LIMIT} x {throughput.LIMIT} matrices")
    print(table(rows) + "\n", flush=True)


def corruption(rounds: int) -> None:
    """Runs first, because the peak memory of a process only grows."""
    from benchmarks import throughput

    rows = []
    for name in GROWING:
        found = [throughput.corruption(name) for _ in range(rounds)]
        row = {"package": name, "ms": spread([1000 * t for t, _ in found])}
        rows.append(row | {"MB more": f"{max(m for _, m in found):.0f}"})
    print("corruption and targets, 64 rows of 128 tokens out of 30,524")
    print(table(rows) + "\n", flush=True)


def samplers(rounds: int) -> None:
    from benchmarks import throughput

    rows = []
    for name in ("mdlm_samplers", "arlm"):
        found = [throughput.sampling(name) for _ in range(rounds)]
        for sampler in found[0]:
            rates = [f[sampler][0] for f in found]
            row = {"sampler": sampler, "samples/s": spread(rates)}
            rows.append(row | {"calls per example": f"{found[0][sampler][1]:.1f}"})
    print("samples, star_easy, size cpu, batch 250, random weights")
    print(table(rows) + "\n", flush=True)


def harness(rounds: int) -> None:
    """A step in the harness against one in a bare loop."""
    steps = step_times(rounds)
    print(f"training step, mdlm on {TASK}, size cpu, median of {STEPS - WARM} steps per round")
    print(f"  harness      {spread([h for h, _ in steps])} ms")
    print(f"  bare loop    {spread([b for _, b in steps])} ms")
    print(f"  ratio        {spread([h / b for h, b in steps], '{:.3f}')}\n", flush=True)


def starts(place: Path, rounds: int) -> None:
    found = [start(place) for _ in range(rounds)]
    print("process start to the end of the first training step")
    print(f"  ours         {spread([o for o, _ in found])} ms")
    print(f"  import torch and lightning {spread([i for _, i in found])} ms")
    print(f"  ratio        {spread([o / i for o, i in found], '{:.3f}')}\n", flush=True)


def commands(place: Path, rounds: int) -> None:
    """The commands of the compiler, warm, as whole processes."""
    spec = ROOT / "specs" / "mdlm.yaml"
    rows = []
    cached = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for words in (["--help"], ["check", spec], ["build", spec, "--into", place]):
        times = []
        for _ in range(rounds + 1):  # the first one writes the bytecode
            begun = time.perf_counter()
            done = [sys.executable, "-m", "xlm_spec", *map(str, words)]
            subprocess.run(done, check=True, capture_output=True, env=cached)
            times.append(1000 * (time.perf_counter() - begun))
        rows.append({"command": f"xlm-spec {words[0]}", "ms": spread(times[1:])})
    print(table(rows) + "\n", flush=True)


def spread(values: list[float], form: str = "{:.1f}") -> str:
    parts = statistics.median(values), min(values), max(values)
    return "{} ({} to {})".format(*(form.format(v) for v in parts))


def start(place: Path) -> tuple[float, float]:
    """Milliseconds to the first training step, and for the imports alone."""
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
    """True if the first step is logged."""
    first = file.read_text().partition("\n")
    return bool(first[1]) and json.loads(first[0])["step"] >= 1


def step_times(rounds: int) -> list[tuple[float, float]]:
    """Milliseconds per step in the harness and in a bare loop, for each round."""
    from xlm_spec.runtime.config.resolve_config import resolve_config

    package = importlib.import_module("mdlm")
    sets = [f"train.steps={STEPS}", f"train.evaluate_every={STEPS + 1}"]
    run = resolve_config(package, {"fill": "eos"}, {"ema": 0.9999}, TASK, "cpu", sets=sets)
    return [(harness_step(run), bare_step(run)) for _ in range(rounds)]


def harness_step(run) -> float:
    """The harness as in `train`, with averaged weights and logs."""
    from lightning.pytorch.callbacks import Callback

    from xlm_spec.runtime.training import train
    from xlm_spec.runtime.training.ending import Ending

    times: list[float] = []

    class Clock(Callback):
        def on_train_batch_end(self, *args) -> None:
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train.silence_lightning()
        data, harness = train.data_and_harness(run, place)
        ending = Ending(run.train.minutes, run.train.accumulate)
        more = train.extensions_of(run, place, devices=1)
        trainer = train.trainer_of(run, place, None, (1, 1), ending, more)
        trainer.callbacks.append(Clock())
        trainer.fit(harness, data)
    return median_step(times)


def bare_step(run) -> float:
    """A loop with the same model, batches, objective, optimiser and clipping only."""
    import torch

    from xlm_spec.runtime.loading.data_module import Stream
    from xlm_spec.runtime.training import train

    with tempfile.TemporaryDirectory() as folder:
        data, harness = train.data_and_harness(run, Path(folder))
    model, package = copy.deepcopy(harness.model), run.package
    made = harness.configure_optimizers()
    groups = made["optimizer"].param_groups
    names = {id(p): n for n, p in harness.model.named_parameters()}
    parameters = dict(model.named_parameters())
    swapped = [g | {"params": [parameters[names[id(p)]] for p in g["params"]]} for g in groups]
    optimizer = torch.optim.AdamW(swapped, fused=True)
    rng, times = torch.Generator().manual_seed(0), []
    for batch, _ in zip(Stream(data.train, run, 0, 0, 1), range(STEPS), strict=False):
        terms = package.objective(model, batch.x, run.config, rng)
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
