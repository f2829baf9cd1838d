"""The workflow `doctor`: this machine, and whether a training step of a run fits into its memory.

The estimate comes from the number of parameters, the optimiser on a tiny model, and forward passes
of one and of two sequences. Beside it stands the peak of real steps.
"""

import time
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.config.model import build_model
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.evaluation.batches import precision_of
from xlm_spec.runtime.evaluation.scoring import to, training_loss
from xlm_spec.runtime.loading.layout import Layout, layout_of
from xlm_spec.runtime.machine import installed
from xlm_spec.runtime.machine.environment import use_threads
from xlm_spec.runtime.machine.memory import peak_of
from xlm_spec.runtime.randomness import generator
from xlm_spec.runtime.training.optimizer import optimizer_of
from xlm_spec.runtime.training.recompute import recompute_blocks
from xlm_spec.runtime.weights.teacher import with_teacher

GB = installed.GB


@dataclass(frozen=True)
class Estimate:
    """Bytes of a training step on one device."""

    weights: int
    averages: int
    gradients: int
    optimizer: int
    activations: int  # of the forward pass, with its logits
    logits: int  # of one head at all positions, which have a gradient too
    accumulates: bool  # gradients of earlier micro-batches exist beside activations

    @property
    def total(self) -> int:
        """The backward pass drops activations while it makes gradients."""
        kept, batch = self.weights + self.averages + self.optimizer, self.activations + self.logits
        return kept + (self.gradients + batch if self.accumulates else max(self.gradients, batch))


def doctor(run: Run) -> None:
    """Prints the machine, and memory and time of a training step of a run.

    Raises Failed (X612) if the step does not fit, and what `train` raises for these settings.
    """
    print("\n".join(installed.lines()))
    use_threads(run.train.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = with_teacher(run)
    layout = layout_of(run.package, run.task, run.config.vocab, run.data.fill)
    rows = run.train.batch // run.train.accumulate
    model = prepared(run, layout)
    found = estimate(run, layout, model, rows)
    free = free_of(device)
    print(f"\n{run.name} on {run.task.name}, size {run.size}, {run.train.precision}")
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters:,} parameters; {rows} sequences of {layout.max_length} positions\n")
    for name in ("weights", "averages", "gradients", "optimizer", "activations", "logits"):
        print(f"{name:16} {getattr(found, name) / GB:9.3f} GB")
    print(f"{'estimate':16} {found.total / GB:9.3f} GB")
    print(f"{'free':16} {free / GB:9.3f} GB on {device.type}", flush=True)  # steps may take long
    if found.total > free:
        raise too_large(found.total, free, device)
    del model
    peak, seconds = measured(run, layout, rows, device)
    print(f"{'measured peak':16} {peak / GB:9.3f} GB")
    micro_batches = min(2, run.train.accumulate)
    print(f"{'step':16} {seconds * run.train.accumulate / micro_batches:9.3f} s")
    print(f"{'fits':16} yes")


def too_large(needed: int, free: int, device: torch.device) -> Failed:
    message = f"a training step needs about {needed / GB:.1f} GB; {device.type} has {free / GB:.1f}"
    hint = "raise train.accumulate, or use train.gradient_checkpointing=true or --strategy fsdp2"
    return Failed(Diagnostic("X612", message, hint))


def free_of(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else installed.free_of_cpu()


def prepared(run: Run, layout: Layout) -> torch.nn.Module:
    """The model as training has it."""
    model = build_model(run, layout.max_length)
    if run.train.gradient_checkpointing:
        recompute_blocks(model)
    return model.train()


def estimate(run: Run, layout: Layout, model: torch.nn.Module, rows: int) -> Estimate:
    """Of `rows` sequences; `model` is on the CPU."""
    weights = sum(bytes_of(p) for p in model.parameters())
    return Estimate(
        weights=weights,
        averages=weights,
        gradients=weights,
        optimizer=round(weights * state_share(run)),
        activations=kept_by(run, layout, model, rows),
        logits=rows * layout.max_length * max(0, run.config.vocab.size) * 4,
        accumulates=run.train.accumulate > 1,
    )


def state_share(run: Run) -> float:
    """Bytes of the optimiser's state per byte of the weights, on a tiny model."""
    with torch.random.fork_rng(devices=[]):
        model = run.package.Model(run.package.Config.small())
    optimizer = optimizer_of(run, model)

    def closure() -> Any:
        for p in model.parameters():
            p.grad = torch.zeros_like(p)
        return torch.zeros(())

    optimizer.step(closure)
    state = [v for s in optimizer.state.values() for v in s.values() if isinstance(v, Tensor)]
    return sum(map(bytes_of, state)) / sum(bytes_of(p) for p in model.parameters())


def kept_by(run: Run, layout: Layout, model: torch.nn.Module, rows: int) -> int:
    """Bytes at the peak of a forward pass of `rows` sequences, from those of one and of two."""
    cpu = torch.device("cpu")
    losses: list[Tensor] = []  # their graphs keep what the backward pass reads

    def kept(n: int) -> int:
        x = batch_of(run, layout, n, cpu)
        return peak_of(lambda: losses.append(loss_of(run, model, x, cpu)), cpu)

    kept(1)  # the first pass also allocates what later ones share
    one, two = kept(1), kept(2)
    return one + (rows - 1) * max(0, two - one)


def batch_of(run: Run, layout: Layout, rows: int, device: torch.device) -> Any:
    """The Examples of `rows` validation rows, which repeat if there are fewer."""
    found = run.task.rows("val")
    return to(layout.examples(found.take(torch.arange(rows) % len(found.prompt))), device)


def loss_of(run: Run, model, x: Any, device: torch.device) -> Tensor:
    """The loss of Examples, in the precision of the run."""
    with precision_of(run, device):
        return training_loss(run, model, x, generator("doctor", device=device), scale=1.0)[0]


def measured(run: Run, layout: Layout, rows: int, device: torch.device) -> tuple[int, float]:
    """The peak in bytes of a model, its average and two steps, and the seconds of a third step.

    A step has at most two micro-batches.
    """
    kept: list[Any] = []
    x = batch_of(run, layout, rows, device)

    def step() -> None:
        model, optimizer = kept[0], kept[2]

        def closure() -> Any:
            optimizer.zero_grad()
            for _ in range(min(2, run.train.accumulate)):
                loss = loss_of(run, model, x, device)
                loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), run.train.clip)
            return loss

        optimizer.step(closure)

    def start() -> None:
        model = prepared(run, layout).to(device)
        kept.extend((model, deepcopy(model), optimizer_of(run, model)))
        step()
        step()

    peak = peak_of(start, device)
    begun = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return peak, time.perf_counter() - begun


def bytes_of(x: Tensor) -> int:
    return x.numel() * x.element_size()
